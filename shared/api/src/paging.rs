//! Paging: lists take `limit` and an opaque `cursor`, which holds a position in the caller's own list and nothing else.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::terms::{Fact, Fault, FaultCode};
use kit::Problem;
use store::Page;

use crate::query::{PAGING, Takes, pairs};

pub(crate) const MAX: i32 = 100;

pub(crate) const DEFAULT: i32 = 25;

/// Pages of 100 items that are examined for one page of a narrowed list.
const ROUNDS: usize = 5;

/// Version of the cursor format.
const FORM: &str = "1";

/// Maximum length of a position.
const MAX_LENGTH: usize = 640;

/// The page that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    limit: i32,
    after: Option<String>,
}

impl Paging {
    /// Maximum number of items, 1 to 100.
    pub const fn limit(&self) -> i32 {
        self.limit
    }

    /// End of the previous page as a position, in the store's form.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// [`Self::after`] as a position of this type.
    ///
    /// # Errors
    /// 400 when it is of another list.
    pub fn position<T: FromStr>(&self) -> Result<Option<T>, Problem> {
        let after = self.after().map(str::parse::<T>).transpose();
        after.map_err(|_| of_another_list())
    }

    /// The page of the items that are taken, of a list that is read from a position in pages of 100. At most 500 items are examined, so the
    /// page may be short, or empty, without being the last one.
    ///
    /// # Errors
    /// When `read` fails.
    pub async fn narrow_page<T, E, R>(
        &self,
        read: impl Fn(Option<String>) -> R,
        takes: impl Fn(&T) -> bool,
        position: impl Fn(&T) -> String,
    ) -> Result<Page<T>, E>
    where
        R: Future<Output = Result<Page<T>, E>>,
    {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        let mut page = Page {
            items: Vec::new(),
            next: self.after.clone(),
        };
        for _ in 0..ROUNDS {
            let found = read(page.next.take()).await?;
            page.next = found.next;
            page.items.extend(found.items.into_iter().filter(&takes));
            if page.items.len() > limit {
                // The next page examines the rest again.
                page.items.truncate(limit);
                page.next = page.items.last().map(&position);
            }
            if page.items.len() == limit || page.next.is_none() {
                break;
            }
        }
        Ok(page)
    }

    fn from_pairs(pairs: &[(String, String)], alone: bool) -> Result<Self, Problem> {
        let (mut limit, mut after) = (None, None);
        for (name, value) in pairs {
            match name.as_str() {
                "limit" if limit.is_none() => {
                    let number = value.parse().ok().filter(|number| (1..=MAX).contains(number));
                    let detail = format!("Expected a whole number from 1 to {MAX}.");
                    let wrong = || Problem::field("limit", Fault::out_of_range(1_i64, i64::from(MAX), detail));
                    limit = Some(number.ok_or_else(wrong)?);
                }
                "cursor" if after.is_none() => after = Some(position(value).ok_or_else(malformed_cursor)?),
                "limit" | "cursor" => {
                    let fault = Fault::new(FaultCode::GivenTwice, "This parameter is given twice.");
                    return Err(Problem::field(name, fault));
                }
                _ if alone => {
                    let fault = Fault::new(FaultCode::Unknown, "Unknown parameter. Expected `limit` or `cursor`.");
                    return Err(Problem::field(
                        name,
                        fault.and("expected", PAGING.iter().collect::<Fact>()),
                    ));
                }
                _ => {}
            }
        }
        Ok(Self {
            limit: limit.unwrap_or(DEFAULT),
            after,
        })
    }
}

/// 400: the cursor is one, but no position in this list.
pub fn of_another_list() -> Problem {
    Problem::bad_request(
        "The cursor belongs to another list. Send `next_cursor` of the previous page, or no cursor for the first page.",
    )
}

/// A page of what was read as a whole, in the order of `place`. A position is a place as a text: it is `read` and `written`.
///
/// # Errors
/// 400 when the position is of another list.
pub fn page_of<T, K: Ord>(
    mut all: Vec<T>,
    paging: &Paging,
    place: impl Fn(&T) -> K,
    read: impl FnOnce(&str) -> Option<K>,
    written: impl FnOnce(K) -> String,
) -> Result<Page<T>, Problem> {
    let after = paging.after().map(|text| read(text).ok_or_else(of_another_list));
    if let Some(after) = after.transpose()? {
        all.retain(|item| place(item) > after);
    }
    all.sort_by_key(&place);
    let limit = usize::try_from(paging.limit()).unwrap_or_default();
    let more = all.len() > limit;
    all.truncate(limit);
    let next = all.last().filter(|_| more).map(|last| written(place(last)));
    Ok(Page { items: all, next })
}

fn malformed_cursor() -> Problem {
    Problem::bad_request(
        "The cursor is invalid. Send `next_cursor` of the previous page, or no cursor for the first page.",
    )
}

/// Cursor of a position.
pub(crate) fn cursor(position: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{FORM}{position}"))
}

fn position(cursor: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let position = text.strip_prefix(FORM)?;
    let plain = position.bytes().all(|byte| byte.is_ascii_graphic());
    (plain && (1..=MAX_LENGTH).contains(&position.len())).then(|| position.to_owned())
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let alone = parts.extensions.get::<Takes>().is_some_and(|takes| !takes.query);
        Self::from_pairs(&pairs(&parts.extensions)?, alone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)], alone: bool) -> Result<(i32, Option<String>), u16> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let paging = Paging::from_pairs(&pairs, alone).map_err(|problem| problem.status().as_u16())?;
        Ok((paging.limit, paging.after))
    }

    #[test]
    fn a_cursor_leads_to_where_the_page_before_ended() {
        let cursor = cursor("usr_01j0");
        assert_eq!(
            read(&[("cursor", &cursor), ("limit", "100")], true),
            Ok((100, Some("usr_01j0".to_owned())))
        );
        assert_eq!(read(&[], true), Ok((25, None)));
    }

    /// An invalid cursor is a bad request; an invalid limit is named as a field.
    #[test]
    fn invalid_cursor_or_limit_is_refused() {
        let foreign = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for wrong in [
            "",
            "!",
            "x",
            &foreign("2usr_01"),
            &foreign("1"),
            &foreign("1a b"),
            &foreign("1\u{7f}"),
            &cursor(&"x".repeat(MAX_LENGTH + 1)),
        ] {
            assert_eq!(read(&[("cursor", wrong)], true), Err(400), "{wrong}");
        }
        for wrong in ["0", "101", "-1", "ten", "", "1e1"] {
            assert_eq!(read(&[("limit", wrong)], true), Err(422), "{wrong}");
        }
        assert_eq!(read(&[("limit", "1"), ("limit", "2")], true), Err(422));
        assert_eq!(read(&[("page", "1")], true), Err(422));
        assert_eq!(read(&[("page", "1")], false), Ok((25, None)));
    }
}

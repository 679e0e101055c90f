//! Searches for contacts by segments, and pages of searches.

use domain::accounts::permits::Permit;
use domain::people::{Conditions, Field, Search, Segment};
use domain::terms::FieldProblem;
use kit::Problem;
use store::contacts::PeoplePosition;

use crate::context::Api;
use crate::guards::Allowed;
use crate::paging::Paging;
use crate::references::References;

impl Api {
    /// Problems of a segment's conditions by the tenant's tags and stages. Empty: none. The responsible user may have left: a
    /// segment finds the contacts of those, too.
    pub async fn missing_of<P: Permit>(
        &self,
        who: &Allowed<P>,
        filter: &Conditions,
    ) -> Result<Vec<FieldProblem>, Problem> {
        let named = References {
            tags: ("filter.tag", filter.tag.into_iter().collect()),
            stage: ("filter.stage", filter.stage),
            owner: ("filter.owner", None),
        };
        self.missing(who, &named).await
    }

    /// The search for a segment's contacts, by these definitions of the tenant's fields.
    ///
    /// # Errors
    /// 409 `segment_unusable` when something that it refers to no longer exists; 503 when the table does not answer.
    pub async fn search_of<P: Permit>(
        &self,
        who: &Allowed<P>,
        segment: &Segment,
        definitions: &[Field],
    ) -> Result<Search, Problem> {
        let mut wrong = self.missing_of(who, &segment.filter).await?;
        let filter = segment.filter.filter(definitions);
        let filter = filter.map_err(|problem| wrong.push(problem.within("filter"))).ok();
        if !wrong.is_empty() {
            return Err(unusable(wrong));
        }
        filter.and_then(|filter| filter.search()).ok_or_else(|| unusable(wrong))
    }
}

fn unusable(wrong: Vec<FieldProblem>) -> Problem {
    let detail = "The segment refers to something that was deleted or changed. Change its `filter` first.";
    Problem::conflict("segment_unusable", detail).naming(wrong)
}

/// The beginning of the requested page, as a position in a search.
///
/// # Errors
/// 400 when it is of another search.
pub fn position(paging: &Paging, search: &Search) -> Result<Option<PeoplePosition>, Problem> {
    let read = |text: &str| {
        PeoplePosition::read(text, search).ok_or_else(|| {
            Problem::bad_request(
                "The cursor belongs to another list. Send `next_cursor` of the previous page with the same conditions, \
                 or no cursor for the first page.",
            )
        })
    };
    paging.after().map(read).transpose()
}

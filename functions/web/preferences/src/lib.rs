//! The preference page: customers see and change which messages a business may send
//! (docs/decisions/0054-preference-page.md).
//!
//! `GET` changes nothing, because apps and scanners fetch links before people do. `POST` does, and leads back to the
//! page, so that reloading it repeats nothing. The code in the link is the only authority: there is no cookie that a
//! browser would send along with another site's request, so nobody can make the customer's browser do anything that
//! needs the link.

mod form;
mod page;
mod words;

use std::convert::Infallible;
use std::sync::Arc;

use access::link::Customer;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::Timestamp;
use domain::people::{
    Choice, Chosen, ConsentEntry, Contact, LinkCode, PreferenceLink, Topic, Wish, Wording, choose_topics, consent_id,
    refuse_everything, wishes_mark,
};
use domain::tenants::Tenant;
use domain::terms::OneLine;
use kit::http::{Source, Target, expect_content_type};
use kit::{ConfigError, Env, LateStore, chain, line};
use store::table::rates::{Allowance, Limit};
use store::{RACES, StoreError};
use ulid::Ulid;

use crate::form::Form;
use crate::page::Note;
use crate::words::{ENGLISH, Words};

/// Requests from one address. Many customers may share one, behind the network of a mobile operator.
const FROM_ADDRESS: Limit = Limit::per_minute(300);

/// Maximum changes by a link in an hour. Each writes entries in a ledger.
const BY_LINK: Limit = Limit::per_hour(30);

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route("/p/{code}", get(show).post(save).fallback(refuse_method))
        .with_state(Arc::new(LateStore::new(env)?)))
}

/// Why there is no page of a contact.
enum Refused {
    /// The link is forged or expired, its contact is gone, or it went to somebody else. All of these look the same.
    NoLink,
    /// A limit is reached.
    TooMany(Allowance),
    /// The request is not one that the page sends.
    Wrong(StatusCode),
    /// The page was old: these are the choices of now.
    Outdated(Box<(Tenant, Contact)>),
    /// The table does not answer, or every race was lost.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl store::LostRace for Refused {
    fn is_lost_race(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

/// A request for a page.
struct Visit {
    /// The code in the path, if it has the form of one.
    code: Option<LinkCode>,
    /// The language that the request asks for by its query, or that its browser prefers.
    words: Option<&'static Words>,
    /// Whether the query asks for that language, so that the next page keeps it.
    asked: bool,
    /// Whether a form has just been saved.
    saved: bool,
    source: Source,
    now: Timestamp,
}

impl FromRequestParts<Arc<LateStore>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, store: &Arc<LateStore>) -> Result<Self, Infallible> {
        let code = Path::<String>::from_request_parts(parts, store).await;
        let (mut asked, mut saved) = (None, false);
        let query = parts.extensions.get::<Target>().map_or("", Target::query);
        // Others may append fields of their own to links.
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "lang" => asked = asked.or_else(|| Words::of(&value)),
                "saved" => saved = true,
                _ => {}
            }
        }
        let header = parts.headers.get(header::ACCEPT_LANGUAGE);
        let accepted = header.and_then(|header| Words::for_browser(header.to_str().ok()?));
        let source = parts.extensions.get::<Source>().copied();
        Ok(Self {
            code: code.ok().and_then(|Path(code)| code.parse().ok()),
            words: asked.or(accepted),
            asked: asked.is_some(),
            saved,
            source: source.unwrap_or(Source(None)),
            now: store.now(),
        })
    }
}

impl Visit {
    /// Words if nothing is known of the contact.
    fn words(&self) -> &'static Words {
        self.words.unwrap_or(&ENGLISH)
    }

    /// Words for a contact: in the language of the request, else of the contact, else of the business.
    fn words_for(&self, tenant: &Tenant, contact: &Contact) -> &'static Words {
        let known = contact.language.iter().chain(&tenant.languages);
        let known = known.filter_map(|language| Words::of(language)).next();
        self.words.or(known).unwrap_or(&ENGLISH)
    }

    /// The page's own path.
    fn path(&self, words: &Words, saved: bool) -> String {
        let code = self.code.as_ref().map_or("", LinkCode::as_str);
        let query = match (self.asked, saved) {
            (true, true) => format!("?lang={}&saved=1", words.lang),
            (true, false) => format!("?lang={}", words.lang),
            (false, true) => "?saved=1".to_owned(),
            (false, false) => String::new(),
        };
        format!("/p/{code}{query}")
    }

    fn page(&self, tenant: &Tenant, contact: &Contact, status: StatusCode, note: Option<Note>) -> Response {
        let words = self.words_for(tenant, contact);
        let mut answer = page::preferences(words, &tenant.name, contact, self.path(words, false), note);
        *answer.status_mut() = status;
        answer
    }

    fn refuse(&self, refused: Refused) -> Response {
        let words = self.words();
        let (status, notice) = match refused {
            Refused::NoLink => (StatusCode::NOT_FOUND, words.no_link),
            Refused::TooMany(allowance) => {
                let mut answer = page::notice(words, StatusCode::TOO_MANY_REQUESTS, words.too_many);
                let seconds = HeaderValue::from(allowance.resets_in);
                answer.headers_mut().insert(header::RETRY_AFTER, seconds);
                return answer;
            }
            Refused::Wrong(status) => (status, words.wrong),
            Refused::Outdated(parties) => {
                let (tenant, contact) = &*parties;
                let note = Note::for_old_page(self.words_for(tenant, contact));
                return self.page(tenant, contact, StatusCode::CONFLICT, Some(note));
            }
            Refused::Store(error) => {
                tracing::error!(error = chain(&error), "could not serve a preference page");
                (StatusCode::SERVICE_UNAVAILABLE, words.unavailable)
            }
        };
        page::notice(words, status, notice)
    }
}

/// The holder of the link. Counts the request.
async fn admit(store: &LateStore, visit: &Visit) -> Result<Customer, Refused> {
    let counted = format!("preferences_from#{}", visit.source.sha256());
    within(store.get().take_outside(&counted, FROM_ADDRESS, visit.now).await?)?;
    let code = visit.code.as_ref().ok_or(Refused::NoLink)?;
    let customer = Customer::admit(store.get(), code, visit.now).await?;
    let customer = customer.ok_or(Refused::NoLink)?;
    line::tenant(customer.scope());
    Ok(customer)
}

fn within(allowance: Allowance) -> Result<(), Refused> {
    if allowance.is_within() {
        Ok(())
    } else {
        Err(Refused::TooMany(allowance))
    }
}

async fn parties(store: &LateStore, visit: &Visit, customer: &Customer) -> Result<(Tenant, Contact), Refused> {
    let found = store
        .get()
        .parties_of_link(customer.scope(), customer.link(), visit.now);
    found.await?.ok_or(Refused::NoLink)
}

async fn show(State(store): State<Arc<LateStore>>, visit: Visit) -> Response {
    let shown = async {
        let customer = admit(&store, &visit).await?;
        parties(&store, &visit, &customer).await
    };
    match shown.await {
        Ok((tenant, contact)) => {
            let note = visit
                .saved
                .then(|| Note::for_saved_choices(visit.words_for(&tenant, &contact)));
            visit.page(&tenant, &contact, StatusCode::OK, note)
        }
        Err(refused) => visit.refuse(refused),
    }
}

async fn save(State(store): State<Arc<LateStore>>, visit: Visit, headers: HeaderMap, body: Body) -> Response {
    match change(&store, &visit, &headers, body).await {
        Ok(words) => leads_to(&visit.path(words, true)),
        Err(refused) => visit.refuse(refused),
    }
}

/// Records what a form says. Returns the words of the page.
async fn change(store: &LateStore, visit: &Visit, headers: &HeaderMap, body: Body) -> Result<&'static Words, Refused> {
    let wrong = |status| move |_| Refused::Wrong(status);
    expect_content_type(headers, "application/x-www-form-urlencoded")
        .map_err(wrong(StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
    // The body is in memory already, so this fails only because of its size.
    let body = to_bytes(body, form::LARGEST).await;
    let body = body.map_err(|_| Refused::Wrong(StatusCode::PAYLOAD_TOO_LARGE))?;
    let form = Form::read(&body).ok_or(Refused::Wrong(StatusCode::BAD_REQUEST))?;
    let customer = admit(store, visit).await?;
    let code = visit.code.as_ref().ok_or(Refused::NoLink)?;
    let counted = format!("preferences_by#{}", code.sha256());
    within(store.get().take_outside(&counted, BY_LINK, visit.now).await?)?;
    let (form, customer) = (&form, &customer);
    RACES
        .until_won(|| async move {
            let (tenant, contact) = parties(store, visit, customer).await?;
            let words = visit.words_for(&tenant, &contact);
            let wishes = match form {
                Form::Stop => refuse_everything(&contact.consent, visit.now).into_iter().collect(),
                Form::Save { wanted, .. } => choose_topics(&contact.consent, wanted, visit.now),
            };
            if wishes.is_empty() {
                return Ok(words);
            }
            // A tick on an old page must not undo a STOP that came since. To stop everything, no page is too old.
            if let Form::Save { seen: shown, .. } = form
                && *shown != wishes_mark(&contact.consent)
            {
                return Err(Refused::Outdated(Box::new((tenant, contact))));
            }
            let entries = entries(words, &tenant.name, customer.link(), code, wishes);
            store.get().record_wishes(customer.scope(), contact, &entries).await?;
            Ok(words)
        })
        .await
}

/// The entries of the ledger for these wishes, each with the text that the customer saw, and with whoever made the link, who may have used
/// it, too.
fn entries(
    words: &Words,
    business: &str,
    link: &PreferenceLink,
    code: &LinkCode,
    wishes: Vec<Chosen>,
) -> Vec<(Ulid, ConsentEntry)> {
    let evidence = link.evidence(code);
    let entries = wishes.into_iter().enumerate().map(|(place, Chosen { wish, repeats })| {
        let id = consent_id(wish.at, &format!("preferences#{}#{place}", code.name()));
        let wording = Wording {
            text: OneLine::from_stored(&seen_text(words, business, &wish)),
            version: OneLine::from_stored(words.version),
        };
        let entry = ConsentEntry {
            actor: link.maker(),
            wording: Some(wording),
            repeats,
            ..ConsentEntry::of(&wish)
        };
        (id, entry.proven_by(&evidence))
    });
    entries.collect()
}

/// The page's wording of this wish.
fn seen_text(words: &Words, business: &str, wish: &Wish) -> String {
    let mut topics = Topic::ALL.into_iter();
    match topics.find(|topic| topic.scope() == wish.scope()) {
        Some(topic) => words.statement(topic, business),
        None if wish.choice == Choice::Refused => format!("{}: {}", words.stop, words.stop_text.plain(business)),
        None => words.intro.plain(business),
    }
}

/// Another page, which the browser gets by a request that changes nothing.
fn leads_to(path: &str) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    page::guard(&mut answer);
    if let Ok(path) = HeaderValue::from_str(path) {
        answer.headers_mut().insert(header::LOCATION, path);
    }
    answer
}

async fn refuse_method(visit: Visit) -> Response {
    let mut answer = visit.refuse(Refused::Wrong(StatusCode::METHOD_NOT_ALLOWED));
    let allowed = HeaderValue::from_static("GET, HEAD, POST");
    answer.headers_mut().insert(header::ALLOW, allowed);
    answer
}

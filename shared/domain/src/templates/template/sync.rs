//! Changes of our templates by a list of the provider's.
//!
//! Reports by webhook and lists overlap: of each part, the newer one counts. A list is as old as its first request.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{TemplateDefinition, TemplateStatus, variables_in};
use crate::templates::{CODE_BODY, SUBMISSION, TemplateContent};
use crate::terms::{Actor, ConnectionId, Data, Operation, OperationId, OperationKind, derive_id};

/// Parameters of the operation `sync_templates`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncTemplates {
    /// The connections whose templates are listed.
    pub connections: Vec<ConnectionId>,
    /// Whether a user who knows of refused messages asked for it.
    #[serde(default)]
    pub wanted: bool,
    /// Whether a verdict is awaited, or a template is in doubt: if the list fails, the next one is due within the hour.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaited: bool,
}

/// Result of the operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    /// Templates that the provider has.
    pub listed: u64,
    /// Templates that were not known.
    pub created: u64,
    /// Templates that had changed.
    pub changed: u64,
    /// Templates that the provider no longer has.
    pub deleted: u64,
    /// Templates that we cannot send, such as carousels, or that there is no room for.
    pub skipped: u64,
    /// Connections whose list the provider refused.
    #[serde(default)]
    pub failed: u64,
}

/// The latest list of a connection's templates. Each connection has one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSync {
    /// Time when the list was begun, whether or not it ended, if a verdict is awaited.
    pub at: Timestamp,
    /// Whether the provider's verdict on one of them was awaited, or is since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaited: bool,
}

/// Time between two lists, and between two while a verdict is awaited or a template is in doubt.
const DAILY: SignedDuration = SignedDuration::from_hours(24);
const HOURLY: SignedDuration = SignedDuration::from_hours(1);

/// Tolerance of a schedule that runs once an hour, a little earlier or later.
const EARLY: SignedDuration = SignedDuration::from_mins(5);

impl LastSync {
    /// Whether the templates are to be listed again.
    pub fn is_due(known: Option<&Self>, now: Timestamp) -> bool {
        known.is_none_or(|known| {
            let every = if known.awaited { HOURLY } else { DAILY };
            known.at + every - EARLY <= now
        })
    }
}

/// Why the templates of a connection are listed, if nobody asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// They were last listed a day ago, or an hour while a verdict is awaited.
    Due,
    /// The provider refused a message because it knows a template otherwise.
    Doubt,
    /// A template was submitted, or is in review again. Twilio reports no verdicts, Meta's report may be lost, and an edit may have had no
    /// outcome.
    Submitted,
}

impl Cause {
    /// Name in ids, and the span in seconds for one operation.
    const fn row(self) -> (&'static str, i64) {
        match self {
            Self::Due => ("due", 3_600),
            Self::Doubt => ("doubt", 60),
            Self::Submitted => ("submitted", 300),
        }
    }
}

/// Time after the span of a doubt or a submission: the list must come behind all templates of it, and behind their claims.
const BEHIND: i64 = 30;
const BEHIND_CLAIMS: i64 = BEHIND + SUBMISSION.as_secs();

/// The operation that lists the templates of a connection again. A cause has one operation within its span of time.
pub fn sync_operation(connection: ConnectionId, cause: Cause, now: Timestamp) -> Operation {
    let (name, seconds) = cause.row();
    let span = now.as_second().div_euclid(seconds) * seconds;
    let behind = |wait: i64| Timestamp::from_second(span + seconds + wait).unwrap_or(now);
    let due = match cause {
        Cause::Due => now,
        Cause::Doubt => behind(BEHIND),
        Cause::Submitted => behind(BEHIND_CLAIMS),
    };
    let millisecond = u64::try_from(span.saturating_mul(1_000)).unwrap_or_default();
    let id = OperationId::new(derive_id(
        millisecond,
        format!("templates#{name}#{connection}").as_bytes(),
    ));
    let params = match cause {
        Cause::Due => serde_json::json!({ "connections": [connection] }),
        Cause::Doubt | Cause::Submitted => serde_json::json!({ "connections": [connection], "awaited": true }),
    };
    let kind = OperationKind::SyncTemplates;
    let created = Operation::new(id, kind, Data::small(params), Actor::Operator, id.to_string(), now);
    created.not_before(due)
}

/// A template in doubt is tried again after this time, although a list showed it as we know it.
pub const DOUBT: SignedDuration = HOURLY;

impl TemplateDefinition {
    /// The template after a list that began at this time and shows it as `listed`. `None`: nothing changes.
    pub fn after_list(
        before: Option<&Self>,
        listed: &Self,
        connection: ConnectionId,
        at: Timestamp,
        wanted: bool,
    ) -> Option<Self> {
        let Some(before) = before else {
            return (!listed.status.is_gone()).then(|| Self {
                connection: Some(connection),
                status_at: Some(at),
                category_at: Some(at),
                quality_at: listed.quality.map(|_| at),
                created_at: Some(at),
                updated_at: Some(at),
                ..listed.clone()
            });
        };
        if before.submitting.is_some_and(|since| at < since + SUBMISSION) {
            return None;
        }
        if before.status.is_draft() && listed.status.is_gone() {
            // The name's former template. A creation without an outcome has not taken its place.
            return before.submitting.map(|_| Self {
                submitting: None,
                ..before.clone()
            });
        }
        let other = before.is_other_content(listed);
        if other && !before.gives_way_to(listed, at) {
            return None;
        }
        let mut after = before.clone();
        after.submitting = None;
        if other {
            after.rejected_reason = None;
            after.end_doubt();
        }
        if before.status.is_draft() {
            // Its creation had an unknown outcome, or somebody created it elsewhere.
            let own = TemplateContent::of(before);
            after.draft = (!before.has_content_of(listed)).then(|| Box::new(own));
            // The written content is no newer than the provider's: it is a draft beside it.
            after.updated_at = after.updated_at.filter(|_| after.draft.is_none());
            after.status_at = None;
        }
        // All parts of another content count, whatever was known of the former one.
        let older = |known: Option<Timestamp>| other || known.is_none_or(|known| known < at);
        let same = after.status == listed.status || (after.status.sendable() && listed.status.sendable());
        if !same && older(after.status_at) {
            after.status.clone_from(&listed.status);
            after.status_at = Some(at);
        }
        if after.status == listed.status && listed.status.is_stopped() {
            after.rejected_reason = listed.rejected_reason.clone().or(after.rejected_reason);
        } else if after.status.sendable() {
            after.rejected_reason = None;
        }
        if after.category != listed.category && older(after.category_at) {
            after.category = listed.category;
            after.category_at = Some(at);
        }
        if listed.quality.is_some() && after.quality != listed.quality && older(after.quality_at) {
            after.quality = listed.quality;
            after.quality_at = Some(at);
        }
        after.provider_id = listed.provider_id.clone().or(after.provider_id);
        after.content_sid = listed.content_sid.clone().or(after.content_sid);
        if after.code.is_some() && listed.body != CODE_BODY && variables_in(&listed.body) == variables_in(CODE_BODY) {
            // The provider's own text around a code.
            after.body.clone_from(&listed.body);
            after.footer.clone_from(&listed.footer);
        }
        if !after.has_content_of(listed) && older(after.updated_at) {
            after = after.with_listed_content(listed, at);
        }
        let content = TemplateContent::of(&after);
        after.draft = after.draft.filter(|draft| **draft != content);
        after.doubted_at = after.doubted_at.filter(|since| !wanted && at < *since + DOUBT);
        (after != *before).then_some(after)
    }

    /// Whether the list shows another one of Twilio's contents, whose names are not unique.
    fn is_other_content(&self, listed: &Self) -> bool {
        let ids = self.content_sid.as_ref().zip(listed.content_sid.as_ref());
        ids.is_some_and(|(own, other)| own != other)
    }

    /// Whether another content takes the place of this one: only if it is better off, so that two of one name do not alternate.
    fn gives_way_to(&self, other: &Self, at: Timestamp) -> bool {
        if self.status.is_draft() {
            // A submission without an outcome is looked for by its own id.
            return self.submitting.is_none();
        }
        let place = |status: &TemplateStatus| {
            if status.is_gone() {
                0_u8
            } else if status.is_rejected() {
                1
            } else {
                2
            }
        };
        let later = self.status_at.is_none_or(|known| known <= at);
        later && place(&self.status) < place(&other.status)
    }

    /// The content of the list, which is another one.
    fn with_listed_content(self, listed: &Self, at: Timestamp) -> Self {
        // An edit whose answer was lost.
        let draft = self.draft.clone().filter(|_| !self.is_submitted_in(listed));
        let listed = listed.clone();
        let buttons = listed.buttons.into_iter();
        let buttons = buttons.map(|button| button.complete_from(&self.buttons)).collect();
        Self {
            draft,
            parameter_format: listed.parameter_format,
            header: listed.header,
            header_media: listed.header_media,
            header_sample: listed.header_sample,
            body: listed.body,
            footer: listed.footer,
            buttons,
            samples: listed.samples,
            edition: self.edition + 1,
            doubted_at: None,
            doubts: 0,
            updated_at: Some(at),
            ..self
        }
    }

    /// The template of another connection of the account after an edit of this one at the provider, where both are one. `None`: nothing
    /// changes.
    pub fn edited_as(&self, edited: &Self) -> Option<Self> {
        let other = self.provider_id.is_some() && self.provider_id != edited.provider_id;
        if other || self.status.is_draft() || self.submitting.is_some() {
            return None;
        }
        let mut after = Self {
            connection: self.connection,
            draft: self.draft.clone(),
            edition: self.edition + u32::from(!self.has_content_of(edited)),
            quality: self.quality,
            quality_at: self.quality_at,
            created_at: self.created_at,
            ..edited.clone()
        };
        if edited.status_at < self.status_at {
            after.status.clone_from(&self.status);
            after.status_at = self.status_at;
            after.rejected_reason.clone_from(&self.rejected_reason);
        }
        if edited.category_at < self.category_at {
            after.category = self.category;
            after.category_at = self.category_at;
        }
        let content = TemplateContent::of(&after);
        after.draft = after.draft.filter(|draft| **draft != content);
        (after != *self).then_some(after)
    }

    /// The template after a list that began at this time and does not show it. `None`: nothing changes.
    pub fn not_listed(&self, at: Timestamp) -> Option<Self> {
        let lost = self.submitting.is_none_or(|since| since + SUBMISSION <= at);
        let submitted = !self.status.is_draft() && lost;
        // The provider may have read its list before it answered a submission.
        let reported = self.status_at.map(|known| known + SUBMISSION);
        let later = [reported, self.created_at]
            .into_iter()
            .flatten()
            .any(|known| at <= known);
        (submitted && !later && self.status != TemplateStatus::of_deleted()).then(|| Self {
            status: TemplateStatus::of_deleted(),
            status_at: Some(at),
            submitting: None,
            doubted_at: None,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::material;
    use crate::tenants::Quality;
    use crate::terms::Category;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    fn connection() -> ConnectionId {
        "conn_00000000000000000000000002".parse().unwrap()
    }

    /// As Meta lists it.
    fn listed_template(status: &str) -> TemplateDefinition {
        TemplateDefinition {
            status: TemplateStatus(status.to_owned()),
            provider_id: Some("810000000000001".to_owned()),
            quality: Some(Quality::Green),
            ..material().templates.remove(0)
        }
    }

    fn known_template() -> TemplateDefinition {
        TemplateDefinition::after_list(None, &listed_template("APPROVED"), connection(), at(0), false).unwrap()
    }

    fn after(before: &TemplateDefinition, listed: &TemplateDefinition, seconds: i64) -> Option<TemplateDefinition> {
        TemplateDefinition::after_list(Some(before), listed, connection(), at(seconds), false)
    }

    /// A template that was never submitted.
    fn draft() -> TemplateDefinition {
        TemplateDefinition {
            status: TemplateStatus::draft(),
            provider_id: None,
            ..known_template()
        }
    }

    /// The template with a footer.
    fn with_footer(template: TemplateDefinition) -> TemplateDefinition {
        TemplateDefinition {
            footer: Some("Bye".to_owned()),
            ..template
        }
    }

    #[test]
    fn new_changed_and_gone_templates_are_noticed() {
        let before = known_template();
        assert_eq!(before.connection, Some(connection()));
        assert_eq!(after(&before, &listed_template("APPROVED"), 10), None);
        assert_eq!(after(&before, &listed_template("REINSTATED"), 10), None, "the same");
        let paused = after(&before, &listed_template("PAUSED"), 10).unwrap();
        assert_eq!((paused.status.0.as_str(), paused.status_at), ("PAUSED", Some(at(10))));
        let moved = TemplateDefinition {
            category: Category::Marketing,
            body: "Hello {{1}} of {{2}}, other words.".to_owned(),
            ..listed_template("APPROVED")
        };
        let moved = after(&before, &moved, 10).unwrap();
        assert_eq!((moved.category, moved.edition), (Category::Marketing, 1));
        assert_eq!(before.not_listed(at(90)), None, "it was reported right before");
        let gone = before.not_listed(at(91)).unwrap();
        assert_eq!(gone.status, TemplateStatus::of_deleted());
        assert_eq!(gone.not_listed(at(300)), None);
        let pending =
            TemplateDefinition::after_list(None, &listed_template("PENDING_DELETION"), connection(), at(0), false);
        assert_eq!(pending, None, "what is deleted is not created");
    }

    #[test]
    fn list_that_is_older_than_a_report_changes_nothing() {
        let mut before = known_template();
        before.status = TemplateStatus("PAUSED".to_owned());
        before.status_at = Some(at(20));
        assert_eq!(after(&before, &listed_template("APPROVED"), 10), None);
        assert_eq!(before.not_listed(at(10)), None);
        let mut submitting = known_template();
        submitting.submitting = Some(at(5));
        assert_eq!(
            after(&submitting, &listed_template("PAUSED"), 10),
            None,
            "its answer is on the way"
        );
        assert!(
            after(&submitting, &listed_template("PAUSED"), 200)
                .unwrap()
                .submitting
                .is_none()
        );
    }

    /// An edit that nobody knows the outcome of, of a template that was deleted since: nothing else would end its claim, or a doubt.
    #[test]
    fn lost_submission_of_a_gone_template_ends() {
        let claimed = TemplateDefinition {
            submitting: Some(at(100)),
            doubted_at: Some(at(150)),
            ..known_template()
        };
        assert_eq!(claimed.not_listed(at(189)), None, "its answer is on the way");
        let gone = claimed.not_listed(at(190)).unwrap();
        assert_eq!(
            (gone.status.is_gone(), gone.submitting, gone.doubted_at),
            (true, None, None)
        );
    }

    #[test]
    fn edit_that_the_provider_has_is_no_draft() {
        let mut edited = known_template();
        let mut content = TemplateContent::of(&edited);
        content.footer = Some("Bye".parse().unwrap());
        edited.draft = Some(Box::new(content.clone()));
        edited.submitting = Some(at(10));
        let listed = with_footer(listed_template("APPROVED"));
        let found = after(&edited, &listed, 200).unwrap();
        assert_eq!((found.footer.as_deref(), found.edition), (Some("Bye"), 1));
        assert_eq!((found.draft.as_ref(), found.submitting), (None, None));
        content.footer = Some("Good bye".parse().unwrap());
        edited.draft = Some(Box::new(content.clone()));
        let found = after(&edited, &listed, 200).unwrap();
        assert_eq!(found.latest(), content, "other words are still to be submitted");
    }

    /// As Twilio lists it: the content with this number.
    fn at_twilio(number: u8, status: &str) -> TemplateDefinition {
        TemplateDefinition {
            content_sid: Some(format!("HX{number:032}")),
            provider_id: None,
            quality: None,
            body: format!("Hello {{{{1}}}} of {{{{2}}}}, these are the words of {number}."),
            ..listed_template(status)
        }
    }

    /// The row after pages of one list, each with a content.
    fn row_after_pages(
        before: Option<&TemplateDefinition>,
        pages: &[TemplateDefinition],
        seconds: i64,
    ) -> TemplateDefinition {
        let mut row = before.cloned();
        for page in pages {
            let after = TemplateDefinition::after_list(row.as_ref(), page, connection(), at(seconds), false);
            row = after.or(row);
        }
        row.unwrap()
    }

    #[test]
    fn contents_of_one_name_at_twilio_are_not_mixed() {
        let (own, other) = (at_twilio(1, "APPROVED"), at_twilio(2, "APPROVED"));
        let row = row_after_pages(None, std::slice::from_ref(&own), 0);
        for status in ["APPROVED", "PENDING", "REJECTED"] {
            let other = at_twilio(2, status);
            assert_eq!(after(&row, &other, 10), None, "{status}");
        }
        // One that is rejected gives way to one that is not, in any order of pages, and not the other way round.
        let rejected = at_twilio(1, "REJECTED");
        for pages in [[rejected.clone(), other.clone()], [other.clone(), rejected.clone()]] {
            let row = row_after_pages(None, &pages, 0);
            let found = (&row.content_sid, row.status.0.as_str(), &row.body);
            assert_eq!(found, (&other.content_sid, "APPROVED", &other.body));
            assert_eq!(row_after_pages(Some(&row), &pages, 10), row);
        }
        let both = [rejected, at_twilio(2, "REJECTED")];
        let row = row_after_pages(None, &both, 0);
        assert_eq!(row_after_pages(Some(&row), &both, 10), row, "they do not alternate");
    }

    #[test]
    fn content_takes_the_place_of_another_as_a_whole() {
        let gone = TemplateDefinition {
            status: TemplateStatus::of_deleted(),
            rejected_reason: Some("INVALID_FORMAT".to_owned()),
            category_at: Some(at(90)),
            updated_at: Some(at(90)),
            doubts: 2,
            ..row_after_pages(None, &[at_twilio(1, "APPROVED")], 0)
        };
        let other = TemplateDefinition {
            category: Category::Marketing,
            ..at_twilio(2, "PENDING")
        };
        let row = after(&gone, &other, 60).unwrap();
        let found = (&row.content_sid, row.status.0.as_str(), &row.body, row.category);
        assert_eq!(found, (&other.content_sid, "PENDING", &other.body, Category::Marketing));
        assert_eq!((row.rejected_reason, row.doubts, row.edition), (None, 0, 1));
        let later = TemplateDefinition {
            status_at: Some(at(61)),
            ..gone
        };
        assert_eq!(after(&later, &other, 60), None, "the list is older");
    }

    #[test]
    fn draft_with_a_content_at_twilio_waits_for_its_own() {
        let draft = TemplateDefinition {
            status: TemplateStatus::draft(),
            submitting: Some(at(10)),
            ..row_after_pages(None, &[at_twilio(1, "PENDING")], 0)
        };
        assert_eq!(after(&draft, &at_twilio(2, "APPROVED"), 200), None);
        let found = after(&draft, &at_twilio(1, "APPROVED"), 200).unwrap();
        assert_eq!((found.status.sendable(), found.submitting), (true, None));
    }

    /// Its former template goes on for 30 days, to deliver what was sent.
    #[test]
    fn draft_under_a_deleted_name_stays_a_draft() {
        let draft = draft();
        for status in ["PENDING_DELETION", "DELETED"] {
            assert_eq!(after(&draft, &listed_template(status), 10), None, "{status}");
        }
        let claimed = TemplateDefinition {
            submitting: Some(at(10)),
            ..draft.clone()
        };
        assert_eq!(
            after(&claimed, &listed_template("PENDING_DELETION"), 20),
            None,
            "its answer is on the way"
        );
        assert_eq!(after(&claimed, &listed_template("PENDING_DELETION"), 200), Some(draft));
    }

    /// Somebody created it elsewhere while the draft was written: messages are composed from what the provider has.
    #[test]
    fn newer_draft_does_not_replace_what_the_provider_has() {
        let draft = TemplateDefinition {
            body: "Hello {{1}}, our own words for you.".to_owned(),
            updated_at: Some(at(50)),
            ..draft()
        };
        let found = after(&draft, &listed_template("APPROVED"), 10).unwrap();
        assert!(found.has_content_of(&listed_template("APPROVED")), "{}", found.body);
        assert_eq!(found.latest(), TemplateContent::of(&draft));
        assert_eq!(found.updated_at, Some(at(10)));
    }

    /// A creation whose answer was lost is not repeated.
    #[test]
    fn draft_that_the_provider_has_is_no_draft() {
        let draft = draft();
        let found = after(&draft, &listed_template("PENDING"), 10).unwrap();
        assert_eq!((found.status.0.as_str(), found.draft.as_ref()), ("PENDING", None));
        assert_eq!(found.provider_id.as_deref(), Some("810000000000001"));
        let other = with_footer(draft);
        let found = after(&other, &listed_template("PENDING"), 10).unwrap();
        assert_eq!(
            found.latest(),
            TemplateContent::of(&other),
            "what was written is a draft now"
        );
    }

    /// An edit of the category alone, whose answer was lost: Meta has not done it.
    #[test]
    fn draft_of_another_category_stays_until_the_provider_has_it() {
        let before = TemplateDefinition {
            status: TemplateStatus("REJECTED".to_owned()),
            ..known_template()
        };
        let mut content = TemplateContent::of(&before);
        content.category = crate::templates::TemplateCategory::Marketing;
        let lost = TemplateDefinition {
            draft: Some(Box::new(content)),
            submitting: Some(at(10)),
            ..before
        };
        let still = after(&lost, &listed_template("REJECTED"), 200).unwrap();
        assert_eq!((still.draft.as_ref(), still.submitting), (lost.draft.as_ref(), None));
        let done = TemplateDefinition {
            category: Category::Marketing,
            ..listed_template("PENDING")
        };
        let done = after(&lost, &done, 200).unwrap();
        assert_eq!((done.draft, done.category), (None, Category::Marketing));
    }

    /// Meta lists its own text, footer and button of a code, and names none of its options.
    #[test]
    fn text_of_a_code_is_no_other_content() {
        let options = serde_json::json!({
            "category": "authentication", "code": {"security_advice": true, "button": "Copy"},
        });
        let content: TemplateContent = serde_json::from_value(options).unwrap();
        let draft = TemplateDefinition {
            category: Category::Authentication,
            status: TemplateStatus::draft(),
            ..content.onto(&TemplateDefinition::empty())
        };
        let mut button = draft.buttons[0].clone();
        button.kind = crate::templates::ButtonKind::Url;
        button.text = "Copy code".to_owned();
        button.url = Some("https://www.whatsapp.com/otp/code/?code=otp{{1}}".to_owned());
        let listed = TemplateDefinition {
            category: Category::Authentication,
            body: "*{{1}}* is your verification code.".to_owned(),
            footer: Some("This code expires in 10 minutes.".to_owned()),
            buttons: vec![button],
            code: None,
            ..listed_template("PENDING")
        };
        let found = after(&draft, &listed, 10).unwrap();
        assert_eq!(
            (found.edition, found.draft.as_ref(), &found.code),
            (0, None, &content.code)
        );
        assert_eq!((&found.body, &found.footer), (&listed.body, &listed.footer));
        assert_eq!(found.buttons, draft.buttons, "a message needs ours");
        assert_eq!(TemplateContent::of(&found), content, "it can be edited");
        assert_eq!(after(&found, &listed, 20), None);
        assert!(found.has_content_of(&draft), "a repeated request finds it");
    }

    #[test]
    fn label_of_an_offers_code_is_ours() {
        let offer = |label: &str| crate::templates::TemplateButton {
            kind: crate::templates::ButtonKind::OfferCode,
            text: label.to_owned(),
            url: None,
            sample: Some("MAY20".to_owned()),
            phone_number: None,
        };
        let before = TemplateDefinition {
            buttons: vec![offer("Copy it")],
            ..known_template()
        };
        let listed = TemplateDefinition {
            buttons: vec![offer("Copy offer code")],
            ..listed_template("APPROVED")
        };
        assert_eq!(after(&before, &listed, 10), None);
        let found = after(&before, &with_footer(listed), 10).unwrap();
        assert_eq!((found.buttons, found.edition), (before.buttons, 1));
    }

    /// Two numbers of one account: what one has edited is reviewed for both.
    #[test]
    fn edit_counts_for_the_other_numbers_of_the_account() {
        let other = TemplateDefinition {
            connection: Some("conn_00000000000000000000000001".parse().unwrap()),
            ..known_template()
        };
        let edited = TemplateDefinition {
            status: TemplateStatus::pending(),
            status_at: Some(at(100)),
            edits: vec![at(100)],
            edition: 7,
            ..with_footer(known_template())
        };
        let shared = other.edited_as(&edited).unwrap();
        assert_eq!((shared.connection, shared.edition), (other.connection, 1));
        assert_eq!((&shared.status, &shared.footer), (&edited.status, &edited.footer));
        assert_eq!(shared.edits, edited.edits, "the provider counts them once");
        assert_eq!(shared.edited_as(&edited), None, "once more");
        let approved = TemplateDefinition {
            status_at: Some(at(200)),
            ..other.clone()
        };
        assert_eq!(
            approved.edited_as(&edited).unwrap().status,
            approved.status,
            "its verdict"
        );
        let unrelated = TemplateDefinition {
            provider_id: Some("810000000000002".to_owned()),
            ..other
        };
        assert_eq!(unrelated.edited_as(&edited), None);
    }

    #[test]
    fn doubt_ends_with_a_change_a_wish_or_an_hour() {
        let doubted = TemplateDefinition {
            doubted_at: Some(at(0)),
            ..known_template()
        };
        assert!(doubted.sendable(false).is_err());
        assert_eq!(after(&doubted, &listed_template("APPROVED"), 60), None);
        assert_eq!(
            after(&doubted, &listed_template("APPROVED"), 3_600).unwrap().doubted_at,
            None
        );
        let changed = with_footer(listed_template("APPROVED"));
        assert_eq!(after(&doubted, &changed, 60).unwrap().doubted_at, None);
        let wanted =
            TemplateDefinition::after_list(Some(&doubted), &listed_template("APPROVED"), connection(), at(60), true);
        assert_eq!(wanted.unwrap().doubted_at, None);
    }

    #[test]
    fn one_cause_gives_one_operation_in_its_span() {
        let id = |cause, seconds| sync_operation(connection(), cause, at(seconds)).id;
        // The beginning of an hour.
        let hour = 3_600 - 1_795_000_000 % 3_600;
        assert_eq!(id(Cause::Due, hour), id(Cause::Due, hour + 3_599));
        assert_ne!(id(Cause::Due, hour), id(Cause::Due, hour + 3_600));
        assert_ne!(id(Cause::Due, hour), id(Cause::Doubt, hour));
        assert_eq!(id(Cause::Doubt, hour), id(Cause::Doubt, hour + 59));
        // Of doubts in one span, none comes after the list.
        for second in [0, 59] {
            assert_eq!(
                sync_operation(connection(), Cause::Doubt, at(hour + second)).due,
                Some(at(hour + 90))
            );
        }
        let made = sync_operation(connection(), Cause::Submitted, at(0));
        // Behind the claim of whatever was submitted in the same span, which ends 200 s later.
        assert_eq!(made.due, Some(at(200 + 120)));
        assert_eq!(sync_operation(connection(), Cause::Submitted, at(199)).due, made.due);
        let params: SyncTemplates = made.params.read().unwrap();
        assert_eq!(
            (params.connections, params.wanted, params.awaited),
            (vec![connection()], false, true)
        );
        let daily: SyncTemplates = sync_operation(connection(), Cause::Due, at(0)).params.read().unwrap();
        assert!(!daily.awaited);
    }

    #[test]
    fn lists_are_read_daily_or_hourly() {
        let due =
            |awaited: bool, minutes: i64| LastSync::is_due(Some(&LastSync { at: at(0), awaited }), at(minutes * 60));
        assert!(LastSync::is_due(None, at(0)));
        assert!(!due(true, 50) && due(true, 56));
        assert!(!due(false, 60 * 23) && due(false, 60 * 24 - 4));
    }
}

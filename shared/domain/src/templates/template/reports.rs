//! States of templates, the provider's reports about them, and what may be done in each state.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ButtonKind, TemplateButton, TemplateDefinition, TemplateKey, variables_in};
use crate::tenants::Quality;
use crate::terms::Category;

/// A provider's report on a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateReport {
    pub template: TemplateKey,
    /// Time by the provider's clock. Reports arrive in any order.
    pub at: Timestamp,
    /// Meta's id of it.
    pub provider_id: Option<String>,
    /// Its new status, in Meta's words.
    pub status: Option<TemplateStatus>,
    /// The reason of the status, with advice if there is some.
    pub reason: Option<String>,
    /// Its current category. An announced change does not count yet.
    pub category: Option<Category>,
    pub quality: Option<Quality>,
    /// Its texts and buttons, if they changed.
    pub content: Option<ReportedContent>,
}

impl TemplateReport {
    /// A report that says nothing yet.
    pub const fn of(template: TemplateKey, at: Timestamp) -> Self {
        Self {
            template,
            at,
            provider_id: None,
            status: None,
            reason: None,
            category: None,
            quality: None,
            content: None,
        }
    }
}

/// Texts and buttons of a template in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedContent {
    /// The text header, if it has one.
    pub header: Option<String>,
    pub body: String,
    /// The footer, if it has one.
    pub footer: Option<String>,
    /// The buttons, in order.
    pub buttons: Vec<TemplateButton>,
}

/// Meta's word for a template's state, such as `APPROVED`, `PAUSED`. Our own are `DRAFT` and `DELETED`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TemplateStatus(pub String);

/// Maximum length of a status in bytes: Meta's longest word has 16 letters.
pub const MAX_STATUS_LENGTH: usize = 64;

/// Maximum length of a provider's reason, in characters.
pub const MAX_REASON_LENGTH: usize = 500;

impl TemplateStatus {
    const DRAFT: &'static str = "DRAFT";
    const PENDING: &'static str = "PENDING";
    const DELETED: &'static str = "DELETED";
    const PAUSED: &'static str = "PAUSED";

    /// The state of a template that was never submitted.
    pub fn draft() -> Self {
        Self(Self::DRAFT.to_owned())
    }

    /// The state of a template that waits for the provider's review.
    pub fn pending() -> Self {
        Self(Self::PENDING.to_owned())
    }

    /// The state of a template that the provider no longer has.
    pub fn of_deleted() -> Self {
        Self(Self::DELETED.to_owned())
    }

    /// Whether Meta accepts messages with it.
    pub fn sendable(&self) -> bool {
        matches!(self.0.as_str(), "APPROVED" | "REINSTATED")
    }

    /// Whether Meta stopped it, by whatever word, so that somebody must act. An edited template is only reviewed again.
    pub fn is_stopped(&self) -> bool {
        !self.sendable() && !self.is_draft() && !self.is_awaited()
    }

    /// Whether it was never submitted.
    pub fn is_draft(&self) -> bool {
        self.0 == Self::DRAFT
    }

    /// Whether Meta rejected it.
    pub(super) fn is_rejected(&self) -> bool {
        self.0 == "REJECTED"
    }

    /// Whether the provider has it no longer, or has it only to deliver what was sent.
    pub fn is_gone(&self) -> bool {
        matches!(self.0.as_str(), Self::DELETED | "PENDING_DELETION")
    }

    /// Its place among the states of one second. The most restrictive one counts, in whatever order they arrive.
    fn restricts(&self) -> (u8, &str) {
        let place = if self.sendable() {
            0
        } else if self.is_awaited() {
            1
        } else if !self.is_gone() {
            2
        } else {
            3
        };
        (place, &self.0)
    }

    /// Whether the provider's verdict is awaited, so that it is worth asking for.
    pub fn is_awaited(&self) -> bool {
        matches!(self.0.as_str(), Self::PENDING | "IN_APPEAL" | "UNARCHIVED")
    }
}

/// Why a template cannot be submitted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNow {
    /// There is nothing new to submit.
    Nothing,
    /// The provider does not allow a change in this state.
    State,
    /// It has a button that cannot be written, which a change would remove.
    Buttons,
    /// The approved template was edited in the last 24 hours, or ten times in the last 30 days: possible from this time on.
    TooOften(Timestamp),
    /// It is being submitted.
    UnderWay,
}

/// Effect of submitting a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submission {
    /// It is created at the provider.
    Create,
    /// It is changed there.
    Edit,
}

/// A submission without an outcome may be taken up again after this time: longer than any request.
pub const SUBMISSION: SignedDuration = SignedDuration::from_secs(90);

/// Edits of an approved template within [`SECOND_EDIT`], and within [`LAST_EDITS`] ([`MAX_EDITS`]).
const SECOND_EDIT: SignedDuration = SignedDuration::from_hours(24);
const LAST_EDITS: SignedDuration = SignedDuration::from_hours(30 * 24);
const MAX_EDITS: usize = 10;

/// The content of a button. The label of an offer's code is the provider's, and numbers are written in several ways.
fn content_of_button(button: &TemplateButton) -> (ButtonKind, &str, Option<&str>, String) {
    let label = match button.kind {
        ButtonKind::OfferCode => "",
        _ => button.text.as_str(),
    };
    let number = button.phone_number.as_deref().unwrap_or_default();
    let digits = number.chars().filter(char::is_ascii_digit).collect();
    (button.kind, label, button.url.as_deref(), digits)
}

impl TemplateButton {
    /// The button as a provider reports it, completed from a known one: with our label of an offer's code, and a sample.
    pub(super) fn complete_from(self, known: &[Self]) -> Self {
        let Some(own) = known
            .iter()
            .find(|own| content_of_button(own) == content_of_button(&self))
        else {
            return self;
        };
        let ours = self.kind == ButtonKind::OfferCode && !own.text.is_empty();
        Self {
            text: if ours { own.text.clone() } else { self.text },
            sample: self.sample.or_else(|| own.sample.clone()),
            ..self
        }
    }
}

impl TemplateDefinition {
    /// Takes over what the provider and the API know about the template that this one replaces: they know better than a file.
    pub fn as_reported(mut self, before: &Self) -> Self {
        if before.status_at.is_some() {
            self.status.clone_from(&before.status);
            self.status_at = before.status_at;
        }
        if before.category_at.is_some() {
            self.category = before.category;
            self.category_at = before.category_at;
        }
        let same = self.has_content_of(before);
        Self {
            provider_id: self.provider_id.or_else(|| before.provider_id.clone()),
            quality: self.quality.or(before.quality),
            quality_at: self.quality_at.or(before.quality_at),
            rejected_reason: self.rejected_reason.or_else(|| before.rejected_reason.clone()),
            edits: before.edits.clone(),
            edition: before.edition + u32::from(!same),
            // A file is what somebody knows to be right.
            doubted_at: before.doubted_at.filter(|_| same),
            doubts: if same { before.doubts } else { 0 },
            created_at: before.created_at,
            updated_at: before.updated_at.filter(|_| same),
            ..self
        }
    }

    /// Whether both have the same content with the same variables. The text, footer and button of a one-time code are the provider's, which
    /// names none of the options that were written.
    pub fn has_content_of(&self, other: &Self) -> bool {
        match (&self.code, &other.code) {
            (Some(own), Some(others)) => return own == others,
            (Some(_), None) => return other.category == Category::Authentication,
            (None, Some(_)) => return self.category == Category::Authentication,
            (None, None) => {}
        }
        (self.parameter_format, self.header_media, &self.header)
            == (other.parameter_format, other.header_media, &other.header)
            && (&self.body, &self.footer) == (&other.body, &other.footer)
            && self
                .buttons
                .iter()
                .map(content_of_button)
                .eq(other.buttons.iter().map(content_of_button))
    }

    /// Whether both have the same samples in words.
    fn has_samples_of(&self, other: &Self) -> bool {
        let of_button = |button: &TemplateButton| button.sample.clone();
        (&self.samples, &self.header_sample) == (&other.samples, &other.header_sample)
            && self
                .buttons
                .iter()
                .map(of_button)
                .eq(other.buttons.iter().map(of_button))
    }

    /// Whether the provider, which lists the template like this, has the change that was submitted last. Parts that it does not show, such
    /// as an asset that is a sample, or the options of a code, count as missing if they were changed.
    pub fn is_submitted_in(&self, listed: &Self) -> bool {
        let draft = self.latest();
        let submitted = draft.onto(self);
        // An approved one keeps its category.
        let in_category = self.status.sendable() || listed.category == Category::from(draft.category);
        in_category
            && submitted.has_content_of(listed)
            && (&submitted.code, submitted.sample_asset) == (&self.code, self.sample_asset)
            && (submitted.has_samples_of(self) || submitted.has_samples_of(listed))
    }

    /// Takes over a report of the provider, each of its parts separately. A part older than the known one is ignored; of two of
    /// the same second, the more restrictive one counts, in whatever order they arrive.
    pub fn note(&mut self, report: &TemplateReport) {
        let category = |category: Category| (category == Category::Marketing, category.as_str());
        let quality = |quality: Quality| match quality {
            Quality::Unknown => 0,
            Quality::Green => 1,
            Quality::Yellow => 2,
            Quality::Red => 3,
        };
        let counts = |known: Option<Timestamp>, allows_less: bool| match known {
            Some(known) if known == report.at => allows_less,
            known => known < Some(report.at),
        };
        // Of a template of this name that was deleted since, or of the one that will be created.
        let other =
            report.provider_id.is_some() && self.provider_id.is_some() && report.provider_id != self.provider_id;
        // A verdict may be faster than the answer to the request that it is about.
        if other || (self.status.is_draft() && self.submitting.is_none()) {
            return;
        }
        if let Some(status) = &report.status
            && counts(self.status_at, status.restricts() > self.status.restricts())
        {
            self.status.clone_from(status);
            self.status_at = Some(report.at);
            self.rejected_reason.clone_from(&report.reason);
        }
        if let Some(reported) = report.category
            && counts(self.category_at, category(reported) > category(self.category))
        {
            self.category = reported;
            self.category_at = Some(report.at);
        }
        if let Some(reported) = report.quality
            && counts(
                self.quality_at,
                self.quality.is_none_or(|known| quality(reported) > quality(known)),
            )
        {
            self.quality = Some(reported);
            self.quality_at = Some(report.at);
        }
        if let Some(content) = &report.content
            && self.updated_at < Some(report.at)
        {
            self.take_content(content, report.at);
        }
        self.provider_id = self.provider_id.take().or_else(|| report.provider_id.clone());
    }

    /// Takes over reported texts. Parts without a report, such as samples, stay, as far as there is something to be sampled.
    fn take_content(&mut self, content: &ReportedContent, at: Timestamp) {
        let mut after = self.clone();
        // It is not documented whether a report names a header that did not change.
        if content.header.is_some() {
            after.header.clone_from(&content.header);
        }
        after.body.clone_from(&content.body);
        after.footer.clone_from(&content.footer);
        let reported = content.buttons.iter().cloned();
        after.buttons = reported.map(|button| button.complete_from(&self.buttons)).collect();
        if variables_in(after.header.as_deref().unwrap_or_default()).is_empty() {
            after.header_sample = None;
        }
        let names = variables_in(&after.body);
        after.samples.retain(|name, _| names.contains(&name.as_str()));
        if !self.has_content_of(&after) {
            after.edition += 1;
            after.updated_at = Some(at);
            after.end_doubt();
            *self = after;
        }
    }

    /// Marks that the provider knows another content than ours.
    pub fn doubt(&mut self, now: Timestamp) {
        self.doubted_at = Some(now);
        self.doubts = self.doubts.saturating_add(1);
    }

    /// Ends a doubt and forgets former ones: they were about another content.
    pub(super) const fn end_doubt(&mut self) {
        self.doubted_at = None;
        self.doubts = 0;
    }

    /// Whether its state will change without a report that must come: a verdict is awaited, or Twilio, which reports nothing, paused it for
    /// hours.
    pub fn is_awaited(&self) -> bool {
        self.status.is_awaited() || (self.content_sid.is_some() && self.status.0 == TemplateStatus::PAUSED)
    }

    /// The effect of submitting it now.
    ///
    /// # Errors
    /// Why it cannot be submitted.
    pub fn submission(&self, now: Timestamp) -> Result<Submission, NotNow> {
        if self.submitting.is_some_and(|since| now < since + SUBMISSION) {
            return Err(NotNow::UnderWay);
        }
        if self.status.is_draft() {
            return Ok(Submission::Create);
        }
        if self.draft.is_none() {
            return Err(NotNow::Nothing);
        }
        if !self.can_be_written() {
            return Err(NotNow::Buttons);
        }
        // Twilio changes nothing that was submitted.
        if self.provider_id.is_none()
            || !matches!(
                self.status.0.as_str(),
                "APPROVED" | "REINSTATED" | "REJECTED" | "PAUSED"
            )
        {
            return Err(NotNow::State);
        }
        match self.editable_at() {
            Some(at) if now < at => Err(NotNow::TooOften(at)),
            _ => Ok(Submission::Edit),
        }
    }

    /// The earliest time for the next edit of the approved template. `None`: at any time, as in other states.
    pub fn editable_at(&self) -> Option<Timestamp> {
        if !self.status.sendable() {
            return None;
        }
        let next = self.edits.last().map(|last| *last + SECOND_EDIT);
        let tenth = self.edits.iter().rev().nth(MAX_EDITS - 1);
        next.max(tenth.map(|tenth| *tenth + LAST_EDITS))
    }

    /// Records an edit of the approved template, and forgets those that no longer count.
    pub fn record_edit(&mut self, now: Timestamp) {
        if self.status.sendable() {
            self.edits.push(now);
        }
        self.edits.retain(|at| now < *at + LAST_EDITS);
    }

    /// Takes over the provider's answer to a submission that began at this time, unless a later report was faster.
    pub fn take_submission_answer(&mut self, status: TemplateStatus, category: Option<Category>, began: Timestamp) {
        // Reports of its review have whole seconds of another clock, and must count.
        let asked = Timestamp::from_second(began.as_second() - 1).unwrap_or(began);
        let older = |known: Option<Timestamp>| known.is_none_or(|known| known < asked);
        if older(self.status_at) || self.status.is_draft() {
            self.status = status;
            self.status_at = Some(asked);
            self.rejected_reason = None;
        }
        if let Some(category) = category
            && older(self.category_at)
        {
            self.category = category;
            self.category_at = Some(asked);
        }
        self.submitting = None;
        self.doubted_at = None;
    }
}

impl TemplateDefinition {
    /// The template after the provider has accepted its submission, which began at this time.
    pub fn after_acceptance(&self, how: Submission, answer: &Accepted, began: Timestamp) -> Self {
        let content = self.latest();
        let mut after = match how {
            Submission::Create => self.clone(),
            Submission::Edit => content.onto(self),
        };
        if how == Submission::Edit {
            after.record_edit(began);
            if !self.status.sendable() {
                after.category = content.category.into();
            }
            after.edition += u32::from(!after.has_content_of(self));
            after.updated_at = Some(began);
            after.end_doubt();
        }
        after.draft = None;
        after.provider_id = answer.id.clone().or(after.provider_id);
        after.content_sid = answer.content_sid.clone().or(after.content_sid);
        after.take_submission_answer(answer.status.clone(), answer.category, began);
        after
    }

    /// The template after the provider has refused its submission for this reason. It can be submitted again.
    pub fn after_refusal(&self, why: Option<&str>) -> Self {
        Self {
            submitting: None,
            rejected_reason: why.and_then(reason_line).or_else(|| self.rejected_reason.clone()),
            ..self.clone()
        }
    }
}

/// Answer of a provider that accepts a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Meta's id of the template.
    pub id: Option<String>,
    /// Twilio's id of it.
    pub content_sid: Option<String>,
    pub status: TemplateStatus,
    /// Its category, which the provider may have corrected.
    pub category: Option<Category>,
}

/// The text with at most [`MAX_REASON_LENGTH`] characters, in one line.
pub fn reason_line(text: &str) -> Option<String> {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    (!line.is_empty()).then(|| line.chars().take(MAX_REASON_LENGTH).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::samples::material;
    use crate::templates::{Sample, TemplateCategory, TemplateContent};

    fn key() -> TemplateKey {
        TemplateKey::new("missed_call_followup", "en_GB").unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    fn template(status: &str) -> TemplateDefinition {
        TemplateDefinition {
            status: TemplateStatus(status.to_owned()),
            provider_id: Some("810000000000001".to_owned()),
            ..material().templates.remove(0)
        }
    }

    /// Samples of the variables of the body.
    fn samples(first: &str, second: &str) -> BTreeMap<String, String> {
        [("1", first), ("2", second)]
            .map(|(name, word)| (name.to_owned(), word.to_owned()))
            .into()
    }

    /// Every order of so many things.
    fn orders(of: usize) -> Vec<Vec<usize>> {
        let mut all = vec![Vec::new()];
        for place in 0..of {
            let longer = |order: Vec<usize>| {
                (0..=place).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, place);
                    order
                })
            };
            all = all.into_iter().flat_map(longer).collect();
        }
        all
    }

    fn report(seconds: i64, status: Option<&str>, category: Option<Category>) -> TemplateReport {
        TemplateReport {
            status: status.map(|word| TemplateStatus(word.to_owned())),
            category,
            ..TemplateReport::of(key(), at(seconds))
        }
    }

    /// Five reports in all 120 orders, each of them once, twice in a row, and again after all others.
    #[test]
    fn reports_end_in_the_same_template_in_any_order() {
        let reports = [
            report(0, Some("APPROVED"), Some(Category::Utility)),
            report(10, Some("PAUSED"), None),
            report(20, Some("REINSTATED"), None),
            report(30, None, Some(Category::Marketing)),
            report(30, Some("APPROVED"), Some(Category::Utility)),
        ];
        let mut end = material().templates.remove(0);
        for report in &reports {
            end.note(report);
        }
        assert_eq!((end.status.0.as_str(), end.status_at), ("APPROVED", Some(at(30))));
        assert_eq!((end.category, end.category_at), (Category::Marketing, Some(at(30))));
        let orders = orders(reports.len());
        assert_eq!(orders.len(), 120);
        for order in orders {
            let twice = order.iter().flat_map(|place| [*place, *place]).collect();
            let again = order.iter().chain(order.iter().rev()).copied().collect();
            for delivered in [order.clone(), twice, again] {
                let mut template = material().templates.remove(0);
                for place in &delivered {
                    template.note(&reports[*place]);
                }
                assert_eq!(template, end, "{delivered:?}");
            }
        }
    }

    /// A pause, another category and the end of the pause: after each report, the latest of what has arrived counts.
    #[test]
    fn latest_of_what_arrived_counts_after_each_report() {
        let reports = [
            report(10, Some("PAUSED"), Some(Category::Utility)),
            report(20, None, Some(Category::Marketing)),
            report(30, Some("REINSTATED"), Some(Category::Marketing)),
        ];
        for order in orders(reports.len()) {
            let mut template = template("APPROVED");
            for count in 1..=order.len() {
                let arrived = &order[..count];
                template.note(&reports[arrived[count - 1]]);
                let has = |place: usize| arrived.contains(&place);
                let status = if has(2) {
                    "REINSTATED"
                } else if has(0) {
                    "PAUSED"
                } else {
                    "APPROVED"
                };
                let category = if has(1) || has(2) {
                    Category::Marketing
                } else {
                    Category::Utility
                };
                assert_eq!(
                    (template.status.0.as_str(), template.category),
                    (status, category),
                    "{arrived:?}"
                );
            }
        }
    }

    /// Three reports of one second, in all orders.
    #[test]
    fn reports_of_one_second_end_in_the_same_template() {
        let report = |status: &str, category, quality| TemplateReport {
            quality: Some(quality),
            ..report(10, Some(status), Some(category))
        };
        let reports = [
            report("PAUSED", Category::Utility, Quality::Yellow),
            report("REJECTED", Category::Authentication, Quality::Green),
            report("DISABLED", Category::Utility, Quality::Unknown),
            report("APPROVED", Category::Authentication, Quality::Yellow),
        ];
        let mut ends = Vec::new();
        for first in 0..reports.len() {
            for second in (0..reports.len()).filter(|second| *second != first) {
                let mut template = template("PENDING");
                template.note(&reports[first]);
                template.note(&reports[second]);
                for report in &reports {
                    template.note(report);
                }
                ends.push((template.status.0, template.category, template.quality));
            }
        }
        let end = ("REJECTED".to_owned(), Category::Utility, Some(Quality::Yellow));
        assert!(ends.iter().all(|other| *other == end), "{ends:?}");
    }

    #[test]
    fn reports_about_a_draft_or_another_template_are_ignored() {
        let report = TemplateReport {
            provider_id: Some("810000000000002".to_owned()),
            ..report(10, Some("APPROVED"), None)
        };
        for before in [template("DRAFT"), template("PENDING")] {
            let mut after = before.clone();
            after.note(&report);
            assert_eq!(after, before);
        }
    }

    #[test]
    fn quality_and_texts_are_noted_in_the_order_of_their_times() {
        let rated = |seconds, quality| TemplateReport {
            quality: Some(quality),
            ..TemplateReport::of(key(), at(seconds))
        };
        let worded = |seconds, body: &str| TemplateReport {
            content: Some(ReportedContent {
                header: None,
                body: body.to_owned(),
                footer: None,
                buttons: Vec::new(),
            }),
            ..TemplateReport::of(key(), at(seconds))
        };
        let reports = [
            rated(0, Quality::Green),
            rated(10, Quality::Red),
            worded(5, "Older {{1}} text."),
            worded(20, "Newer {{1}} text."),
        ];
        for first in 0..reports.len() {
            let mut after = template("APPROVED");
            for report in reports.iter().cycle().skip(first).take(reports.len()) {
                after.note(report);
            }
            assert_eq!(after.quality, Some(Quality::Red));
            assert_eq!(after.body, "Newer {{1}} text.");
        }
        let mut doubted = template("APPROVED");
        doubted.doubted_at = Some(at(1));
        doubted.note(&worded(2, "Other {{1}} text."));
        assert_eq!((doubted.doubted_at, doubted.edition), (None, 1));
    }

    #[test]
    fn rejection_has_its_reason_until_the_next_state() {
        let report = |seconds, word: &str, reason: Option<&str>| TemplateReport {
            reason: reason.map(str::to_owned),
            ..report(seconds, Some(word), None)
        };
        let mut it = template("PENDING");
        it.note(&report(1, "REJECTED", Some("INVALID_FORMAT")));
        assert_eq!(it.rejected_reason.as_deref(), Some("INVALID_FORMAT"));
        it.note(&report(2, "APPROVED", None));
        assert_eq!(it.rejected_reason, None);
    }

    /// The table of states (1.13 of the providers' contracts): edits once a day and ten times in 30 days, of approved ones.
    #[test]
    fn edits_are_limited_while_approved() {
        let hour = |hours: i64| at(hours * 3_600);
        let drafted = |status: &str, edits: &[i64]| {
            let mut it = template(status);
            it.draft = Some(Box::new(TemplateContent::of(&it)));
            it.edits = edits.iter().map(|hours| hour(*hours)).collect();
            it
        };
        for status in ["APPROVED", "REINSTATED", "REJECTED", "PAUSED"] {
            let submission = drafted(status, &[]).submission(hour(0));
            assert_eq!(submission, Ok(Submission::Edit), "{status}");
        }
        for status in ["PENDING", "DISABLED", "IN_APPEAL", "ARCHIVED", "DELETED"] {
            assert_eq!(drafted(status, &[]).submission(hour(0)), Err(NotNow::State), "{status}");
        }
        let ten: Vec<i64> = (0..10).map(|day| day * 24).collect();
        for (status, edits, now, expected) in [
            ("APPROVED", &[0][..], 23, Err(NotNow::TooOften(hour(24)))),
            ("APPROVED", &[0], 24, Ok(Submission::Edit)),
            ("REJECTED", &[0], 1, Ok(Submission::Edit)),
            ("APPROVED", &ten[..], 20 * 24, Err(NotNow::TooOften(hour(30 * 24)))),
            ("APPROVED", &ten[..], 30 * 24, Ok(Submission::Edit)),
        ] {
            let submission = drafted(status, edits).submission(hour(now));
            assert_eq!(submission, expected, "{status} {edits:?} {now}");
        }
        assert_eq!(template("APPROVED").submission(hour(0)), Err(NotNow::Nothing));
        assert_eq!(template("DRAFT").submission(hour(0)), Ok(Submission::Create));
        let mut twilios = drafted("REJECTED", &[]);
        twilios.provider_id = None;
        assert_eq!(twilios.submission(hour(0)), Err(NotNow::State));
        let mut twice = template("DRAFT");
        twice.submitting = Some(at(0));
        assert_eq!(twice.submission(at(89)), Err(NotNow::UnderWay));
        assert_eq!(twice.submission(at(90)), Ok(Submission::Create));
    }

    #[test]
    fn verdict_in_the_second_of_the_submission_counts() {
        let mut it = template("DRAFT");
        it.take_submission_answer(TemplateStatus::pending(), None, at(5));
        it.note(&report(5, Some("APPROVED"), None));
        assert_eq!(it.status.0, "APPROVED");
    }

    #[test]
    fn verdict_that_is_faster_than_the_answer_counts() {
        let mut it = template("DRAFT");
        it.submitting = Some(at(5));
        it.note(&report(6, Some("APPROVED"), None));
        it.take_submission_answer(TemplateStatus::pending(), None, at(5));
        assert_eq!((it.status.0.as_str(), it.submitting), ("APPROVED", None));
    }

    #[test]
    fn accepted_edit_replaces_the_content_and_waits_for_its_review() {
        let mut it = template("APPROVED");
        it.status_at = Some(at(0));
        let mut content = TemplateContent::of(&it);
        content.footer = Some("Bye".parse().unwrap());
        it.draft = Some(Box::new(content.clone()));
        it.submitting = Some(at(100));
        let answer = Accepted {
            id: None,
            content_sid: None,
            status: TemplateStatus::pending(),
            category: None,
        };
        let after = it.after_acceptance(Submission::Edit, &answer, at(100));
        assert_eq!((after.footer.as_deref(), after.edition), (Some("Bye"), 1));
        assert_eq!((after.draft.as_ref(), after.submitting), (None, None));
        assert_eq!((after.status.0.as_str(), &after.edits[..]), ("PENDING", &[at(100)][..]));
        assert!(after.sendable(false).is_err(), "not until it is approved");
        let refused = it.after_refusal(Some("Too often."));
        assert_eq!((refused.submitting, refused.latest()), (None, content));
        assert_eq!(refused.rejected_reason.as_deref(), Some("Too often."));
    }

    /// A draft whose submission may be lost, and what the provider lists then.
    #[test]
    fn lost_edit_counts_only_if_all_of_it_is_shown() {
        let drafted = |status: &str, change: &dyn Fn(&mut TemplateContent)| {
            let mut it = template(status);
            it.samples = samples("Maya", "Marina");
            let mut content = TemplateContent::of(&it);
            change(&mut content);
            it.draft = Some(Box::new(content));
            it
        };
        let done = |it: &TemplateDefinition| {
            let draft = it.latest();
            TemplateDefinition {
                category: draft.category.into(),
                code: None,
                sample_asset: None,
                ..draft.onto(it)
            }
        };
        let of_category = |content: &mut TemplateContent| content.category = TemplateCategory::Marketing;
        let of_footer = |content: &mut TemplateContent| content.footer = Some("Bye".parse().unwrap());
        let of_sample = |content: &mut TemplateContent| {
            let samples = samples("Omar", "Marina").into_iter();
            let samples = samples.map(|(name, word)| (name, word.parse::<Sample>().unwrap()));
            content.samples = samples.collect::<BTreeMap<_, _>>().into();
        };
        type Change = fn(&mut TemplateContent);
        let changes: [(&str, Change); 3] = [("category", of_category), ("footer", of_footer), ("sample", of_sample)];
        for (what, change) in changes {
            let it = drafted("REJECTED", &change);
            assert!(!it.is_submitted_in(&it), "{what}: nothing was done");
            assert!(it.is_submitted_in(&done(&it)), "{what}: all was done");
        }
        // Parts that no list shows.
        let asset: crate::terms::AssetId = "ast_01hq5c1ynyc0000000000000ab".parse().unwrap();
        let mut picture = drafted("REJECTED", &|_| {});
        picture.header_media = Some(crate::media::MediaKind::Image);
        let mut content = TemplateContent::of(&picture);
        content.header.as_mut().unwrap().sample_asset_id = Some(asset);
        picture.draft = Some(Box::new(content));
        assert!(!picture.is_submitted_in(&done(&picture)));
    }

    #[test]
    fn another_number_of_a_button_is_another_content() {
        let call = |number: &str| TemplateDefinition {
            buttons: vec![TemplateButton {
                kind: ButtonKind::PhoneNumber,
                text: "Call".to_owned(),
                url: None,
                sample: None,
                phone_number: Some(number.to_owned()),
            }],
            ..template("APPROVED")
        };
        assert!(call("+97145550001").has_content_of(&call("971 4 555 0001")));
        assert!(!call("+97145550001").has_content_of(&call("+97145550002")));
    }

    #[test]
    fn nothing_is_sent_while_an_edit_has_no_outcome() {
        let mut it = template("APPROVED");
        assert!(it.sendable(false).is_ok());
        it.submitting = Some(at(0));
        let why = it.sendable(false).unwrap_err().to_string();
        assert!(why.contains("PENDING"), "{why}");
    }

    /// A report names labels, links and numbers, and no samples.
    #[test]
    fn reported_texts_keep_the_samples_that_still_belong() {
        let link = |url: &str, sample: Option<&str>| TemplateButton {
            kind: ButtonKind::Url,
            text: "Book".to_owned(),
            url: Some(url.to_owned()),
            sample: sample.map(str::to_owned),
            phone_number: None,
        };
        let offer = |label: &str, sample: Option<&str>| TemplateButton {
            kind: ButtonKind::OfferCode,
            text: label.to_owned(),
            url: None,
            ..link("", sample)
        };
        let whole = Some("https://a.example/b");
        let mut it = TemplateDefinition {
            header: Some("Of {{1}}".to_owned()),
            header_sample: Some("May".to_owned()),
            buttons: vec![link("https://a.example/{{1}}", whole), offer("Copy it", Some("MAY20"))],
            samples: samples("Maya", "Marina"),
            doubts: 3,
            ..template("APPROVED")
        };
        let mut report = TemplateReport::of(key(), at(10));
        report.content = Some(ReportedContent {
            header: Some("News".to_owned()),
            body: "Hello {{1}}, we missed you.".to_owned(),
            footer: None,
            buttons: vec![
                link("https://a.example/{{1}}", None),
                link("https://b.example/{{1}}", None),
                offer("Copy offer code", None),
            ],
        });
        it.note(&report);
        assert_eq!(it.buttons[0].sample.as_deref(), whole);
        assert_eq!(it.buttons[1].sample, None, "another link");
        assert_eq!(it.buttons[2], offer("Copy it", Some("MAY20")));
        assert_eq!(it.samples.keys().collect::<Vec<_>>(), ["1"]);
        assert_eq!((it.header_sample, it.edition, it.doubts), (None, 1, 0));
    }

    #[test]
    fn paused_at_twilio_ends_without_a_report() {
        let mut it = template("PAUSED");
        assert!(!it.is_awaited(), "Meta reports it");
        it.content_sid = Some("HX00000000000000000000000000000001".to_owned());
        assert!(it.is_awaited());
        it.status = TemplateStatus("DISABLED".to_owned());
        assert!(!it.is_awaited());
    }

    #[test]
    fn reasons_are_short_lines() {
        assert_eq!(reason_line(" a\n b ").as_deref(), Some("a b"));
        assert_eq!(reason_line("\n"), None);
        assert_eq!(
            reason_line(&"x".repeat(900)).map(|text| text.len()),
            Some(MAX_REASON_LENGTH)
        );
    }
}

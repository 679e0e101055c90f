//! The lines and numbers of the business that a person wrote to, for each of the person's numbers: WhatsApp's service
//! windows, and the latest SMS.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::terms::{LineId, Phone, Recipient};

/// WhatsApp's service window: 24 hours from the user's last message or WhatsApp call.
pub const SERVICE_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Maximum service windows, unless more are open. A further one replaces a closed one: the oldest of those whose number of the business has
/// a newer one, or else the oldest of all.
pub const MAX_WINDOWS: usize = 4;

/// Time after the last sign of another responder until a conversation counts as nobody's. A hand-back is not reported,
/// and WhatsApp lets a conversation go a day after the customer's last message.
pub const ELSEWHERE_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The smallest difference between times of rows. WhatsApp's have whole seconds.
const MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// A sign of who answers a WhatsApp user on a number of the business, which several responders can share: apps, and Meta's business agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sign {
    /// The user's message came to us.
    Received,
    /// A person here has answered.
    Answered,
    /// A message to another responder, or from it, came to us as a copy.
    Copied,
    /// The conversation was passed to us.
    Passed,
    /// Another responder has taken the conversation.
    Taken,
}

impl Sign {
    /// Its place among others. Of the same second, what is said of the conversation itself counts more than a message, and that it was taken
    /// most: whoever is not answered automatically is answered by somebody, and nobody is answered twice.
    fn ordering_time(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Received | Self::Answered | Self::Copied => at,
            Self::Passed => at + MOMENT,
            Self::Taken => at + MOMENT * 2,
        }
    }
}

/// Another responder answers a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Time of the first sign of it since we were in charge, as far as it is known.
    pub since: Timestamp,
    /// Time of the latest one.
    pub at: Timestamp,
}

impl Elsewhere {
    /// Time when nobody answers the user any more, unless there is a new sign.
    pub fn until(self) -> Timestamp {
        self.at + ELSEWHERE_FOR
    }

    /// Joins both: only signs after `ours_at` are one turn. The signs between the known ones are forgotten, so the
    /// beginning depends on the order of their arrival; the latest, which decides, does not.
    fn join_turn(self, other: Self, ours_at: Option<Timestamp>) -> Self {
        let at = self.at.max(other.at);
        let known = [self.since, other.since, self.at, other.at].into_iter();
        let since = known.filter(|since| ours_at <= Some(*since)).min().unwrap_or(at);
        Self { since, at }
    }
}

/// Maximum lines that remember the number of the last SMS. A further one replaces the one that got an SMS longest ago.
pub const MAX_TEXTED: usize = 4;

/// WhatsApp's service window of one WhatsApp user with one number of the business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The number of the business.
    pub number: Phone,
    /// The user's telephone number, if a webhook has named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Meta's business-scoped id of the user, if a webhook has named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bsuid: Option<String>,
    /// Time of the user's last message or call to it. `None`: they have never opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Time of the last thing from the user that waits for an answer and leaves it as it is, such as an edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// Time of the last copy of a message that opens the window of the responder that it went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_at: Option<Timestamp>,
    /// Time of the latest hand-over of the conversation to us. Earlier messages of the user open our window from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_at: Option<Timestamp>,
    /// Time of the latest message to the user that WhatsApp refused because it found the window closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Time of the latest sign that we answer the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours_at: Option<Timestamp>,
    /// Signs that another responder does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
}

impl Window {
    /// The window of this user, who wrote or called at this time, if they did.
    pub fn new(number: &Phone, user: &Recipient, at: Option<Timestamp>) -> Self {
        Self {
            number: number.clone(),
            phone: user.phone.clone(),
            bsuid: user.bsuid.clone(),
            at,
            heard_at: None,
            copied_at: None,
            passed_at: None,
            closed_at: None,
            ours_at: None,
            elsewhere: None,
        }
    }

    /// This window with a sign of who answers the user.
    fn with_sign(self, sign: Sign, at: Timestamp) -> Self {
        let placed = sign.ordering_time(at);
        match sign {
            Sign::Received | Sign::Answered | Sign::Passed => Self {
                ours_at: Some(placed),
                passed_at: (sign == Sign::Passed).then_some(at),
                ..self
            },
            Sign::Copied | Sign::Taken => Self {
                elsewhere: Some(Elsewhere {
                    since: placed,
                    at: placed,
                }),
                ..self
            },
        }
    }

    /// The other responder that answers the user at this time, if one does. Of signs of one moment, its own counts.
    pub fn elsewhere(&self, now: Timestamp) -> Option<Elsewhere> {
        let found = self.elsewhere.filter(|found| self.ours_at <= Some(found.at));
        found.filter(|found| now < found.until())
    }

    pub fn user(&self) -> Recipient {
        Recipient {
            phone: self.phone.clone(),
            bsuid: self.bsuid.clone(),
        }
    }

    /// Whether it was stored before windows named their users: it counts for every identity of the contact.
    pub(crate) fn is_of_anybody(&self) -> bool {
        self.phone.is_none() && self.bsuid.is_none()
    }

    /// Time of the last thing from the user that waits for an answer.
    pub fn last_heard(&self) -> Option<Timestamp> {
        self.at.max(self.heard_at)
    }

    /// Time of the latest sign of any kind.
    fn last_sign(&self) -> Option<Timestamp> {
        let elsewhere = self.elsewhere.map(|found| found.at);
        self.last_heard().max(self.ours_at).max(elsewhere)
    }

    /// Time when the user last opened it: by writing or calling, or by what they wrote to another responder before that
    /// passed them to us.
    fn opened_at(&self) -> Option<Timestamp> {
        self.at
            .max(self.copied_at.filter(|copied| Some(*copied) <= self.passed_at))
    }

    /// Time when it closes, or was found closed. `None`: it was never open.
    pub fn closes_at(&self) -> Option<Timestamp> {
        let at = self.opened_at()?;
        let closes_at = at + SERVICE_WINDOW;
        let found_closed = self.closed_at.filter(|closed_at| at <= *closed_at);
        Some(found_closed.map_or(closes_at, |closed_at| closed_at.min(closes_at)))
    }

    /// Whether it is open at this time.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.closes_at().is_some_and(|closes_at| at < closes_at)
    }

    /// Whether its user has this number, or this id: number and id of one webhook belong to one user.
    fn is_users(&self, user: &Recipient) -> bool {
        let phone = self.phone.is_some() && self.phone == user.phone;
        phone || self.bsuid.is_some() && self.bsuid == user.bsuid
    }

    /// Whether both are of the same user with the same number.
    fn is_same(&self, other: &Self) -> bool {
        let of_anybody = self.is_of_anybody() && other.is_of_anybody();
        self.number == other.number && (of_anybody || self.is_users(&other.user()))
    }

    /// Whether it is the window of this recipient with this number.
    fn is_of(&self, number: &Phone, to: &Recipient) -> bool {
        self.number == *number && self.is_users(&to.addressed_user())
    }

    /// Joins two windows of the same user: the latest statement holds.
    fn join_window(self, other: Self) -> Self {
        let ours_at = self.ours_at.max(other.ours_at);
        let signs = self.elsewhere.into_iter().chain(other.elsewhere);
        let elsewhere = signs.reduce(|one, other| one.join_turn(other, ours_at));
        let elsewhere = elsewhere.map(|found| found.join_turn(found, ours_at));
        let (newer, older) = if self.last_heard() < other.last_heard() {
            (other, self)
        } else {
            (self, other)
        };
        Self {
            phone: newer.phone.or(older.phone),
            bsuid: newer.bsuid.or(older.bsuid),
            at: newer.at.max(older.at),
            heard_at: newer.heard_at.max(older.heard_at),
            copied_at: newer.copied_at.max(older.copied_at),
            passed_at: newer.passed_at.max(older.passed_at),
            closed_at: newer.closed_at.max(older.closed_at),
            ours_at,
            elsewhere,
            ..newer
        }
    }
}

/// Adds a window. Windows of the same user become one.
pub(crate) fn add_window(all: &mut Vec<Window>, new: Window) {
    let first = all.iter().position(|known| known.is_same(&new));
    let place = first.unwrap_or(all.len());
    let (same, mut others): (Vec<_>, Vec<_>) = all.drain(..).partition(|known| known.is_same(&new));
    others.insert(place, same.into_iter().fold(new, Window::join_window));
    *all = others;
}

/// Removes windows that are closed at this time, as long as there are too many. The latest one of a number of the
/// business goes last: it says who wrote there.
pub(crate) fn make_room_for_windows(all: &mut Vec<Window>, now: Timestamp) {
    while all.len() > MAX_WINDOWS {
        let is_latest = |place: usize, window: &Window| {
            let mut others = all.iter().enumerate().filter(|(other, _)| *other != place);
            !others.any(|(_, other)| other.number == window.number && window.last_sign() <= other.last_sign())
        };
        let closed = all.iter().enumerate().filter(|(_, window)| !window.is_open(now));
        let first = closed.min_by_key(|(place, window)| (is_latest(*place, window), window.last_sign()));
        let Some((place, _)) = first else {
            return;
        };
        all.remove(place);
    }
}

/// Lets the windows of a user go on, who has another number or id from now on.
pub(crate) fn pass_on_windows(all: &mut Vec<Window>, before: &Recipient, now: &Recipient) {
    for mut window in std::mem::take(all) {
        if window.is_users(before) {
            window.phone = now.phone.clone().or(window.phone);
            window.bsuid = now.bsuid.clone().or(window.bsuid);
        }
        add_window(all, window);
    }
}

/// The recipient's own window with this number, and the one that counts for everybody, unless it was found closed for this recipient.
fn of<'a>(all: &'a [Window], number: &Phone, to: &Recipient) -> impl Iterator<Item = &'a Window> {
    let own = all.iter().find(|window| window.is_of(number, to));
    let closed_at = own.and_then(|own| own.closed_at);
    let mut windows = all.iter().filter(|window| window.number == *number);
    let before = windows.find(|window| window.is_of_anybody() && (closed_at.is_none() || closed_at < window.at));
    own.into_iter().chain(before)
}

/// The other responder that answers this recipient on this number of the business at this time, if one does.
pub(crate) fn answered_elsewhere(all: &[Window], number: &Phone, to: &Recipient, now: Timestamp) -> Option<Elsewhere> {
    of(all, number, to).find_map(|window| window.elsewhere(now))
}

/// Adds a sign of who answers this user on this number of the business.
pub(crate) fn add_sign(all: &mut Vec<Window>, number: &Phone, user: &Recipient, sign: Sign, at: Timestamp) {
    add_window(all, Window::new(number, user, None).with_sign(sign, at));
}

/// Time until free text can be sent to this recipient from this number of the business. `None`: the window was never open.
pub(crate) fn window_closes_at(all: &[Window], number: &Phone, to: &Recipient) -> Option<Timestamp> {
    of(all, number, to).filter_map(Window::closes_at).max()
}

/// Closes the window of this recipient after a message sent to them at this time. Returns false if it was closed
/// already, or the recipient has written since.
pub(crate) fn close_window(all: &mut Vec<Window>, number: &Phone, to: &Recipient, sent_at: Timestamp) -> bool {
    let at = of(all, number, to).filter_map(Window::opened_at).max();
    let is_open = window_closes_at(all, number, to).is_some_and(|closes_at| sent_at < closes_at);
    let Some(at) = at.filter(|at| *at <= sent_at && is_open) else {
        return false;
    };
    let closed_at = Some(sent_at);
    match all.iter_mut().find(|window| window.is_of(number, to)) {
        Some(own) => own.closed_at = closed_at,
        None => all.push(Window {
            closed_at,
            ..Window::new(number, &to.addressed_user(), Some(at))
        }),
    }
    true
}

/// The number that a person last wrote from by SMS, on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texted {
    /// The line. `None`: none could be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    pub number: Phone,
    /// Time of the SMS.
    pub at: Timestamp,
}

/// Adds an SMS: only the latest of each line counts.
pub(crate) fn add_texted(all: &mut Vec<Texted>, new: Texted) {
    match all.iter_mut().find(|known| known.line == new.line) {
        Some(known) if known.at <= new.at => *known = new,
        Some(_) => {}
        None => all.push(new),
    }
    if all.len() > MAX_TEXTED
        && let Some((oldest, _)) = all.iter().enumerate().min_by_key(|(_, known)| known.at)
    {
        all.remove(oldest);
    }
}

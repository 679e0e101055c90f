//! TwiML, the XML that tells Twilio what to do with a call.
//! Source: twilio.com/docs/voice/twiml.

use std::fmt::Write as _;

use domain::telephony::{DialStatus, Handling};
use domain::tenants::twilio::{Spoken, VoiceSettings};
use domain::terms::Phone;

/// An empty answer, which ends the call.
pub const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response></Response>\n";

/// Our addresses in an answer.
#[derive(Debug, Clone, Copy)]
pub struct Urls<'a> {
    /// Address for the result of forwarding.
    pub dial_result: &'a str,
    /// Address for a finished recording.
    pub recording: &'a str,
}

/// The effective handling of a call: forwarding needs a target number.
pub fn handling(settings: &VoiceSettings) -> Handling {
    match settings.handling {
        Handling::Forward if settings.forward_to.is_none() => Handling::Greet,
        handling => handling,
    }
}

/// The answer to a ringing call.
pub fn answer(settings: &VoiceSettings, urls: Urls<'_>) -> String {
    let said = Twiml::new().say(&settings.greeting);
    match (handling(settings), &settings.forward_to) {
        // Without anything to say, the call is not answered, so the caller is not charged.
        (Handling::Greet, _) if settings.greeting.is_empty() => Twiml::new().reject_busy().finish(),
        (Handling::Forward, Some(to)) => said
            .dial(to, settings.forward_timeout_seconds, urls.dial_result)
            .finish(),
        (Handling::Voicemail, _) => voicemail(said, settings, urls).finish(),
        (Handling::Greet | Handling::Forward, _) => said.hang_up().finish(),
        (Handling::OwnFlow, _) => EMPTY.to_owned(),
    }
}

/// The answer to the result of forwarding: empty if somebody spoke or the caller has hung up.
pub fn answer_after_dial(settings: &VoiceSettings, dial: Option<DialStatus>, urls: Urls<'_>) -> String {
    match dial {
        Some(DialStatus::Answered | DialStatus::Canceled) => EMPTY.to_owned(),
        Some(DialStatus::NoAnswer | DialStatus::Busy | DialStatus::Failed) | None => {
            let said = Twiml::new().say(&settings.missed_greeting);
            if settings.voicemail_after_missed {
                voicemail(said, settings, urls).finish()
            } else if settings.missed_greeting.is_empty() {
                EMPTY.to_owned()
            } else {
                said.hang_up().finish()
            }
        }
    }
}

/// Without its own action, `<Record>` would request the current address again and start over. Its action and its callback may be
/// the same address, because both report the same recording.
fn voicemail(said: Twiml, settings: &VoiceSettings, urls: Urls<'_>) -> Twiml {
    said.record(settings.voicemail_max_seconds, Some(urls.recording), urls.recording)
        .hang_up()
}

/// A builder of answers. Texts are escaped.
#[derive(Debug, Clone, Default)]
pub struct Twiml(String);

impl Twiml {
    pub fn new() -> Self {
        Self::default()
    }

    /// Speaks sentences, each in its language.
    pub fn say(mut self, sentences: &[Spoken]) -> Self {
        for spoken in sentences {
            self.0.push_str("<Say");
            self.attribute("language", &spoken.language);
            self.0.push('>');
            escape(&mut self.0, &spoken.text);
            self.0.push_str("</Say>");
        }
        self
    }

    /// Forwards the call. The caller hears it ring and is not charged until somebody answers.
    pub fn dial(mut self, to: &Phone, timeout_seconds: u32, action: &str) -> Self {
        self.0.push_str("<Dial");
        self.attribute("timeout", &timeout_seconds.to_string());
        self.attribute("action", action);
        self.attribute("method", "POST");
        self.attribute("answerOnBridge", "true");
        let _ = write!(self.0, "><Number>{to}</Number></Dial>");
        self
    }

    /// Records what the caller says.
    pub fn record(mut self, max_seconds: u32, action: Option<&str>, callback: &str) -> Self {
        self.0.push_str("<Record");
        self.attribute("maxLength", &max_seconds.to_string());
        self.attribute("playBeep", "true");
        if let Some(action) = action {
            self.attribute("action", action);
        }
        self.attribute("recordingStatusCallback", callback);
        self.0.push_str("/>");
        self
    }

    pub fn hang_up(mut self) -> Self {
        self.0.push_str("<Hangup/>");
        self
    }

    /// Plays the busy tone without answering.
    pub fn reject_busy(mut self) -> Self {
        self.0.push_str("<Reject reason=\"busy\"/>");
        self
    }

    /// The whole document, of the type `text/xml`.
    pub fn finish(self) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>{}</Response>\n",
            self.0
        )
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let _ = write!(self.0, " {name}=\"");
        escape(&mut self.0, value);
        self.0.push('"');
    }
}

/// Escapes a text for XML. Characters that XML does not allow are dropped.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => out.push(character),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {}
            other => out.push(other),
        }
    }
}

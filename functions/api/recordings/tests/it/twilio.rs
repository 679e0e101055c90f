//! Twilio's side of a recording.

use testkit::file_host::{FileHost, Reply};

/// A server on a loopback port.
pub(crate) struct Twilio(FileHost);

impl Twilio {
    /// With this answer for any recording's sound. Nothing is known of the recording.
    pub(crate) fn start(reply: Reply) -> Self {
        let twilio = Self(FileHost::start(Reply::Silence));
        twilio.answer(reply, None);
        twilio
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    /// Answers like this from now on. `about`: the state of the recording in Twilio's words.
    pub(crate) fn answer(&self, reply: Reply, about: Option<&str>) {
        self.0.answer(reply);
        match about {
            Some(status) => self.0.tell(200, &format!(r#"{{"status": "{status}"}}"#)),
            None => self.0.tell(404, r#"{"code": 20404, "status": 404}"#),
        }
    }

    /// Path and `Authorization` of each request since the last call.
    pub(crate) fn take_requests(&self) -> Vec<(String, String)> {
        let asked = self.0.take_requests().into_iter();
        asked.map(|asked| (asked.path, asked.authorization)).collect()
    }

    /// Waits for a held request.
    pub(crate) async fn wait_for_request(&self) {
        self.0.wait_for_request().await;
    }

    /// Answers the held requests.
    pub(crate) fn release(&self) {
        self.0.release();
    }
}

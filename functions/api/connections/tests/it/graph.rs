//! Meta's API with refusals that the simulators do not have.

use serde_json::{Value, json};
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::world::{NUMBER_ID, WABA};

/// Meta's API, which shows the number, or refuses one of its paths by a code that the simulators do not know.
pub(crate) struct Graph {
    server: MockServer,
}

impl Graph {
    pub(crate) async fn start() -> Self {
        let graph = Self {
            server: MockServer::start().await,
        };
        graph.shows().await;
        graph
    }

    pub(crate) fn url(&self) -> String {
        self.server.uri()
    }

    pub(crate) async fn refuses(&self, path: &str, code: i64) {
        self.server.reset().await;
        let body = json!({"error": {"message": "(#1) no", "code": code}});
        self.answers(path, 403, body).await;
        self.shows().await;
    }

    async fn shows(&self) {
        let number =
            json!({"id": NUMBER_ID, "display_phone_number": "+971 4 555 0001", "verified_name": "Saffron Bakery"});
        self.answers(NUMBER_ID, 200, number).await;
        let account = json!({"id": WABA, "phone_numbers": {"data": [{"id": NUMBER_ID}]}});
        self.answers(WABA, 200, account).await;
        self.answers(
            "subscribed_apps",
            200,
            json!({"data": [{"whatsapp_business_api_data": {"id": "1"}}]}),
        )
        .await;
    }

    /// The first answer that is mounted for a path counts.
    async fn answers(&self, path: &str, status: u16, body: Value) {
        Mock::given(method("GET"))
            .and(path_regex(format!("/{path}$")))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .mount(&self.server)
            .await;
    }
}

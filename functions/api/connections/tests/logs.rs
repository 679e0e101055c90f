//! The log while credentials are received, replaced, tested and refused. Alone in its process, whose log it reads.

#[path = "it/world.rs"]
mod world;

use std::io::{Result, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use testkit::Aws;

use self::world::{
    API_SECRET, APP_SECRET, SYSTEMS, TOKEN, TWILIO_TOKEN, WRONG_SECRET, World, connect, telephony_in, twilio_in,
    whatsapp_in,
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_holds_a_secret() {
    let log = Log::default();
    let lines = log.clone();
    tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || lines.clone())
        .init();
    let aws = Aws::new().await;
    let (world, town) = World::start(&aws).await;
    let manager = town.manager();
    let mut secrets: Vec<String> = [APP_SECRET, TOKEN, TWILIO_TOKEN, "api-key-secret-1", "another-secret-1"]
        .map(str::to_owned)
        .to_vec();
    for body in [whatsapp_in(), twilio_in(), telephony_in()] {
        let made = manager.post("/api/v1/connections", body).await;
        let place = made.header("location").to_owned();
        let shown = made.json();
        for name in ["verify_token", "secret"] {
            secrets.extend(shown[name].as_str().map(str::to_owned));
        }
        for fault in ["bad_credentials", "server_error", "timeout_before"] {
            world.fault("graph", fault).await;
            world.fault("twilio", fault).await;
            manager.post(&format!("{place}/test"), json!({})).await.is(200);
            world.no_faults().await;
        }
        for rotation in [json!({}), json!({"secret": "another-secret-1"})] {
            let rotated = manager.post(&format!("{place}/rotate"), rotation).await;
            secrets.extend(rotated.json()["secret"].as_str().map(str::to_owned));
        }
        let wrong = json!({"kind": "twilio", "credentials": {"auth_token": [TWILIO_TOKEN], "api_key_sid": TOKEN}});
        manager.put(&format!("{place}/credentials"), wrong).await.is(422);
    }
    for kind in SYSTEMS {
        for secret in [API_SECRET, WRONG_SECRET] {
            let place = format!("/api/v1/connections/{}", connect(&town, kind, Some(secret)).await);
            for fault in [None, Some("server_error"), Some("timeout_before")] {
                if let Some(fault) = fault {
                    world.fault(kind, fault).await;
                }
                manager.post(&format!("{place}/test"), json!({})).await.is(200);
                world.no_faults().await;
            }
            secrets.push(secret.to_owned());
        }
    }
    assert!(secrets.len() > 6);
    let log = log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let log = String::from_utf8_lossy(&log);
    assert!(log.lines().count() > 10, "it is this process's log");
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}

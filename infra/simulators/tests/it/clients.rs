//! The vendors' public client libraries work with the simulators.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::support::Stage;

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

/// A Python with the libraries: the stack's, or one set up here, so that this test is never skipped.
async fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("RINGBACK_CLIENTS_PYTHON") {
        return python.into();
    }
    let home = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.stack/clients"));
    let python = home.join("bin/python");
    let requirements = Path::new(CLIENTS).join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).expect("requirements.txt");
    let stamp = home.join("requirements.installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home)).await;
    run(Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--requirement",
        ])
        .arg(&requirements))
    .await;
    std::fs::write(&stamp, wanted).expect("writing the stamp");
    python
}

async fn run(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("starting Python");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}:\n{said}");
}

#[tokio::test]
async fn twilio_and_pywa_work_against_the_simulators() {
    let stage = Stage::set().await;
    let config = json!({"url": stage.simulators.url(), "tenant": crate::support::tenant_a(), "senders": crate::support::senders()});
    let script = Path::new(CLIENTS).join("check_clients.py");
    run(Command::new(python().await)
        .arg("-I")
        .arg(script)
        .arg(config.to_string()))
    .await;
    let sent = stage.outbox("").await;
    assert!(sent.iter().any(|sent| sent["via"] == "graph") && sent.iter().any(|sent| sent["via"] == "twilio"));
}

//! `simulators --port P [--host 127.0.0.1] --config FILE`

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use simulators::{Config, start};

const USAGE: &str = "usage: simulators --port PORT [--host 127.0.0.1] [--config FILE]";

/// The address to listen on, and the file of the configuration.
fn arguments(mut given: impl Iterator<Item = String>) -> Result<(SocketAddr, Option<PathBuf>), String> {
    let (mut host, mut port, mut config) = (IpAddr::from([127, 0, 0, 1]), None, None);
    while let Some(name) = given.next() {
        let value = given.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--host" => {
                host = value
                    .parse()
                    .map_err(|_| format!("--host {value}: not an IP address"))?
            }
            "--port" => port = Some(value.parse().map_err(|_| format!("--port {value}: not a port"))?),
            "--config" => config = Some(PathBuf::from(value)),
            _ => return Err(format!("unknown option {name}")),
        }
    }
    let port: u16 = port.ok_or("--port is missing")?;
    Ok((SocketAddr::new(host, port), config))
}

fn configuration(listen: SocketAddr, file: Option<PathBuf>) -> Result<Config, String> {
    let config = match file {
        None => Config::default(),
        Some(path) => {
            let text = std::fs::read(&path).map_err(|error| format!("reading {}: {error}", path.display()))?;
            serde_json::from_slice(&text).map_err(|error| format!("reading {}: {error}", path.display()))?
        }
    };
    Ok(Config { listen, ..config })
}

#[tokio::main]
async fn main() -> ExitCode {
    let config = match arguments(std::env::args().skip(1)) {
        Ok((listen, file)) => configuration(listen, file),
        Err(error) => Err(format!("{error}\n{USAGE}")),
    };
    let running = match config {
        Ok(config) => start(config).await.map_err(|error| format!("listening: {error}")),
        Err(error) => Err(error),
    };
    match running {
        Ok(running) => {
            println!("simulators listen on {}", running.url());
            until_told().await;
            running.stop().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("simulators: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn until_told() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

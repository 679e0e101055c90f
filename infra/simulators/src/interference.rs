//! Faults of a request itself: of its answer, its connection, or the process that made it.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};

use crate::faults::{Event, Kind, Rule};
use crate::world::{Sims, State};

/// A caller is killed at most this often per message, so that every message gets through in the end.
const KILLS_PER_MESSAGE: u32 = 2;

/// Default time for which a connection is held: longer than any caller waits.
const HOLD: Duration = Duration::from_secs(60);

const BEFORE: &[Kind] = &[
    Kind::BadCredentials,
    Kind::Throttled,
    Kind::ServerError,
    Kind::TimeoutBefore,
    Kind::KillBefore,
];
const AFTER: &[Kind] = &[Kind::ServerErrorAfter, Kind::TimeoutAfter, Kind::KillAfter];

/// The caller of a send request, and the message.
#[derive(Debug)]
pub(crate) struct Caller {
    pid: Option<i32>,
    recipient: String,
    message: String,
}

impl Caller {
    /// `key` is Ringback's `<contact>.<message>.<attempt>`; kills are counted per message, not per attempt.
    pub(crate) fn new(headers: &HeaderMap, recipient: &str, key: Option<&str>) -> Self {
        let key = key.unwrap_or_default();
        Self {
            pid: headers
                .get(USER_AGENT)
                .and_then(|agent| agent.to_str().ok())
                .and_then(caller_pid),
            recipient: recipient.to_owned(),
            message: key.split('.').nth(1).unwrap_or(key).to_owned(),
        }
    }
}

/// The credentials of Basic authentication, as `user:password`.
pub(crate) fn basic(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    String::from_utf8(STANDARD.decode(given).ok()?).ok()
}

/// The `(pid N)` of a local function's User-Agent; never this process or init.
pub(crate) fn caller_pid(agent: &str) -> Option<i32> {
    let pid: i32 = agent.split("(pid ").nth(1)?.split(')').next()?.trim().parse().ok()?;
    (pid > 1 && u32::try_from(pid) != Ok(std::process::id())).then_some(pid)
}

/// Before acceptance. `Some`: the request is answered with this fault.
pub(crate) async fn before(world: &Sims, event: Event<'_>, caller: &Caller) -> Option<Kind> {
    let rule = take(&mut world.state(), event, caller, BEFORE)?;
    act(world, &rule, caller).await;
    Some(rule.kind)
}

/// After the message was accepted. `Some`: its answer is replaced by this fault.
pub(crate) async fn after(world: &Sims, event: Event<'_>, caller: &Caller) -> Option<Kind> {
    let rule = take(&mut world.state(), event, caller, AFTER)?;
    act(world, &rule, caller).await;
    Some(rule.kind)
}

/// For requests other than sends, which only a credentials fault affects.
pub(crate) fn credentials_refused(world: &Sims, event: Event<'_>) -> bool {
    world.state().fault(event, &[Kind::BadCredentials]).is_some()
}

fn take(state: &mut State, event: Event<'_>, caller: &Caller, kinds: &[Kind]) -> Option<Rule> {
    let counted = (caller.recipient.clone(), caller.message.clone());
    let kills = state.kills.get(&counted).copied().unwrap_or(0);
    let may_kill = caller.pid.is_some() && kills < KILLS_PER_MESSAGE;
    let rule = state.faults.take_if(event, kinds, |rule| {
        may_kill || !matches!(rule.kind, Kind::KillBefore | Kind::KillAfter)
    })?;
    if matches!(rule.kind, Kind::KillBefore | Kind::KillAfter) {
        *state.kills.entry(counted).or_default() += 1;
    }
    Some(rule)
}

async fn act(world: &Sims, rule: &Rule, caller: &Caller) {
    match rule.kind {
        Kind::TimeoutBefore | Kind::TimeoutAfter => hold(world, rule).await,
        Kind::KillBefore | Kind::KillAfter => {
            if let Some(pid) = caller.pid.and_then(Pid::from_raw) {
                // It may have ended already.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        _ => {}
    }
}

async fn hold(world: &Sims, rule: &Rule) {
    let hold = rule
        .seconds
        .map_or(HOLD, |seconds| Duration::from_secs_f64(seconds.max(0.0)));
    let mut stop = world.watch_stop();
    tokio::select! {
        () = tokio::time::sleep(hold) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

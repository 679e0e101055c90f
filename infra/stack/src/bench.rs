//! `bench`: costs of the deployed functions in time, memory, bytes and dollars. `docs/benchmarks.md` has the results of a whole
//! run.

pub mod inbox;
pub mod live;
pub mod load;
pub mod operations;
mod page;
pub mod start;
mod svix;
pub mod webhooks;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;
use domain::Timestamp;
use domain::terms::{Channel, MessageId, Phone};
use serde::{Deserialize, Serialize};

use crate::bill::Bill;
use crate::build::{self, Builder, Function, Profile};
use crate::business::Town;
use crate::console::{self, Keys, Shown, Visit, Waits};
use crate::contract::Contract;
use crate::inspect::{self, Queue};
use crate::place::Place;
use crate::play::{Look, Play, Sent, until};
use crate::process::{kernel_share, run_captured, running_functions};
use crate::report::step;
use crate::running::{Options, Running};
use crate::template;
use crate::tools::Tools;
use crate::up::on_own_stack;
use inbox::Day;
use live::Live;
use load::{Load, Network, Work};
use operations::Cost;
use start::{Binary, Starts};
use webhooks::{Receiver, Webhooks};

/// Parts that can be measured separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
pub enum Part {
    /// Size, and start to first event; needs no AWS.
    Start,
    /// Usage and cost of a follow-up, of a message that software requests, and of what it creates or imports.
    Bill,
    /// Latency, CPU and memory under load.
    Load,
    /// AWS requests of each operation of the API.
    Api,
    /// Waits of people for the console: of a phone in a slow network, for keys and for messages.
    Console,
    /// Clients that follow a business by sockets.
    Live,
    /// A team that answers its customers.
    Inbox,
    /// Deliveries of outgoing webhooks, beside those of the svix-server that `RINGBACK_SVIX_SERVER` names.
    Webhooks,
}

/// Baseline of the other functions' starts.
pub const EMPTY: &str = "empty_function";

/// Concurrent calls or connections.
const CONCURRENCY: [usize; 3] = [1, 8, 32];

/// Starts of each binary.
const STARTS: usize = 40;

/// Follow-ups, or messages, per bill.
const FOLLOW_UPS: usize = 20;

/// Rows of the import that is billed. What it costs to begin and to end it is shared by all of them.
const IMPORTED: usize = 1_000;

/// Recipients of the broadcast that is billed. What it costs to begin and to end it is shared by all of them.
const RECIPIENTS: usize = 200;

/// Calls per load, divided among the callers.
const CALLS: usize = 96;

/// Webhooks per load, divided among the connections.
const WEBHOOKS: usize = 960;

/// The customers whose messages have a budget.
const KNOWN: &str = "a known contact";

/// Maximum wait for one step, enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Size {
    /// Size of the linked binary.
    bytes: u64,
    /// Size of the zip file that `sam deploy` uploads.
    zipped: u64,
}

/// A bill of the same work, done several times one after the other.
#[derive(Debug, Serialize, Deserialize)]
pub struct Billed {
    /// Source of the calls or messages.
    what: String,
    count: usize,
    bill: Bill,
}

impl Billed {
    /// Dollars per 1,000 of them.
    fn dollars_per_1000(&self) -> f64 {
        self.bill.dollars() / self.count as f64 * 1000.0
    }
}

/// All measurements, from the last run of each part.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// By part: the time, and the build profile of its functions.
    taken: BTreeMap<Part, String>,
    sizes: BTreeMap<String, Size>,
    starts: Vec<Starts>,
    follow_ups: Vec<Billed>,
    /// Work for customers' messages.
    inbound: Vec<Billed>,
    /// Messages that software requests.
    requested: Vec<Billed>,
    /// Contacts that software creates.
    created: Vec<Billed>,
    /// Rows of an import that create a contact each.
    imported: Vec<Billed>,
    /// Work of a team: replies, assignments, broadcasts.
    team: Vec<Billed>,
    calls: Vec<Load>,
    webhooks: Vec<Load>,
    nothing: Vec<Load>,
    work: BTreeMap<String, Work>,
    /// The kernel's share of the CPU time of functions that process a call, under load.
    kernel_share: Option<f64>,
    operations: Vec<Cost>,
    visits: Vec<Visit>,
    keys: Vec<Keys>,
    shown: Option<Shown>,
    live: Option<Live>,
    day: Option<Day>,
    deliveries: Option<Webhooks>,
}

impl Figures {
    fn starts_of(&self, name: &str) -> Option<&Starts> {
        self.starts.iter().find(|starts| starts.name == name)
    }
}

/// Measures these parts, and writes `docs/benchmarks.md` from all measurements.
pub async fn bench(profile: Profile, parts: &[Part]) -> Result<()> {
    let parts = match parts {
        [] => Part::value_variants(),
        some => some,
    };
    let mut options = Options {
        profile,
        ..Options::throwaway("bench")?
    };
    let place = Place::new(options.data_dir.as_deref())?;
    let kept = place.root.join("docs/benchmarks.json");
    let mut figures: Figures = std::fs::read(&kept)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    if parts.contains(&Part::Start) {
        start(&place, profile, &mut figures).await?;
    }
    if parts.contains(&Part::Console) {
        console::build(&place, &Tools::set_up(&place).await?).await?;
    }
    let receiver = if parts.contains(&Part::Webhooks) {
        let receiver = Receiver::start(&place, &Tools::set_up(&place).await?).await?;
        options.webhook_hosts.push(receiver.origin.clone());
        Some(receiver)
    } else {
        None
    };
    if parts.iter().any(|part| *part != Part::Start) {
        let measuring = async |running: &Running| {
            let measuring = measure_deployed_stack(running, parts, receiver.as_ref(), &mut figures);
            Box::pin(measuring).await
        };
        Box::pin(on_own_stack(&options, measuring)).await?;
    }
    if let Some(receiver) = receiver {
        receiver.stop().await?;
    }
    let now = Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    for part in parts {
        figures
            .taken
            .insert(*part, format!("{now}, {} profile, load average {load}", profile.name()));
    }
    std::fs::write(&kept, serde_json::to_vec(&figures).context("storing the figures")?)
        .with_context(|| format!("writing {}", kept.display()))?;
    let file = place.root.join("docs/benchmarks.md");
    std::fs::write(&file, page::write(&figures)).with_context(|| format!("writing {}", file.display()))?;
    println!("Written to {}.", file.display());
    Ok(())
}

/// The figures that a client of `python/` measures and prints, which we did not write in Rust.
async fn run_python_client<T: serde::de::DeserializeOwned>(
    place: &Place,
    tools: &Tools,
    play: &Play,
    script: &str,
    settings: &[(&str, &str)],
) -> Result<T> {
    let mut python = tools.contract().await?.program("python");
    python
        .arg(place.root.join("infra/stack/python").join(script))
        .env("RINGBACK_API", &play.endpoints.api)
        .env("RINGBACK_SIMULATORS", &play.endpoints.simulators)
        .envs(settings.iter().copied())
        .env("NO_PROXY", "127.0.0.1");
    let said = run_captured(&mut python, &[], script).await?;
    serde_json::from_slice(&said).with_context(|| format!("reading what {script} measured"))
}

/// Sizes and starts of the functions and of an empty one.
async fn start(place: &Place, profile: Profile, figures: &mut Figures) -> Result<()> {
    let tools = Tools::set_up(place).await?;
    let builder = Builder::new(place.clone(), tools.clone(), profile).separate();
    let mut functions = build::functions(&place.root)?;
    functions.insert(
        0,
        Function {
            name: EMPTY.to_owned(),
            logical_id: String::new(),
            room: String::new(),
        },
    );
    step("building functions", builder.compile(&functions)).await?;
    let template = template::expand_template(place, &tools).await?;
    let template = serde_json::from_slice(&template).context("reading the expanded template")?;
    let binaries = Binary::all(&functions, &builder, &template);
    figures.sizes = step("zipping", sizes(&tools, &binaries)).await?;
    let what = format!("starting {} binaries {STARTS} times", binaries.len());
    figures.starts = step(&what, async { start::measure(&binaries, STARTS) }).await?;
    Ok(())
}

/// Compresses as the SAM CLI does: Python's zipfile at zlib's default level.
const ZIPPED: &str = "
import io, sys, zipfile
for path in sys.argv[1:]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, 'bootstrap')
    print(len(packed.getvalue()))
";

async fn sizes(tools: &Tools, binaries: &[Binary]) -> Result<BTreeMap<String, Size>> {
    let mut python = tools.sam("python");
    python
        .args(["-c", ZIPPED])
        .args(binaries.iter().map(|binary| &binary.path));
    let zipped = run_captured(&mut python, &[], "zipping the binaries").await?;
    let zipped = String::from_utf8(zipped).context("reading sizes")?;
    binaries
        .iter()
        .zip(zipped.lines())
        .map(|(Binary { name, path, .. }, zipped)| {
            let metadata = std::fs::metadata(path);
            let size = Size {
                bytes: metadata.with_context(|| format!("looking at {name}"))?.len(),
                zipped: zipped.parse().context("reading a size")?,
            };
            Ok((name.clone(), size))
        })
        .collect()
}

/// `receiver`: of events, if they are measured.
async fn measure_deployed_stack(
    running: &Running,
    parts: &[Part],
    receiver: Option<&Receiver>,
    figures: &mut Figures,
) -> Result<()> {
    let Running { place, tools, aws, .. } = running;
    let play = Play::new(running.endpoints.clone()).await?;
    let town = Town::new(&play, aws, place, &place.data).await?;
    let wants = |part: Part| parts.contains(&part);
    if wants(Part::Api) {
        let groups = build::log_groups(&running.functions, crate::deploy::STACK);
        let contract = Contract::read(place)?;
        let measuring = operations::measure(&play, &town, aws, &groups, &contract);
        figures.operations = step("every operation of the API", Box::pin(measuring)).await?;
    }
    if wants(Part::Console) {
        let measuring = Box::pin(console::waits(place, tools, &running.endpoints, &town));
        let Waits { visits, keys, shown } = step("visits to the console", measuring).await?;
        (figures.visits, figures.keys, figures.shown) = (visits, keys, Some(shown));
    }
    if wants(Part::Live) {
        let measuring = Box::pin(live::measure(place, tools, &play, &town));
        figures.live = Some(step("clients that follow a business", measuring).await?);
    }
    if wants(Part::Inbox) {
        let network = Network::new(&play, &town).await?;
        let measuring = Box::pin(inbox::measure(running, &network));
        figures.day = Some(step("a team's day in the inbox", measuring).await?);
    }
    if let Some(receiver) = receiver {
        let measuring = Box::pin(webhooks::measure(running, &town, &play, receiver));
        figures.deliveries = Some(measuring.await?);
    }
    if !wants(Part::Bill) && !wants(Part::Load) {
        return Ok(());
    }
    let network = Network::new(&play, &town).await?;
    let begun = Timestamp::now().as_millisecond();
    step("warming up", async {
        network.calls(2, 2).await?;
        if wants(Part::Bill) {
            network.request(&network.caller()?, Channel::WhatsApp).await?;
            network.create_contact().await?;
            Box::pin(network.import_contacts(1)).await?;
        }
        play.quiet(PATIENCE).await
    })
    .await?;
    if wants(Part::Bill) {
        let writers = callers(&network)?;
        Box::pin(done_by_customers(running, &network, &writers, figures)).await?;
        Box::pin(done_by_teams(running, &town, &network, &writers, figures)).await?;
        Box::pin(asked_by_software(running, &network, figures)).await?;
    }
    if wants(Part::Load) {
        Box::pin(under_load(running, &network, begun, figures)).await?;
    }
    Ok(())
}

/// Concurrent calls and webhooks. `begun`: since when log lines are read.
async fn under_load(running: &Running, network: &Network, begun: i64, figures: &mut Figures) -> Result<()> {
    figures.calls.clear();
    figures.webhooks.clear();
    figures.nothing.clear();
    for concurrency in CONCURRENCY {
        let each = CALLS / concurrency;
        let load = step(&format!("{concurrency} calls at a time"), async {
            let load = network.calls(concurrency, each).await?;
            network.play.quiet(PATIENCE).await?;
            Ok(load)
        })
        .await?;
        figures.calls.push(load);
    }
    for concurrency in CONCURRENCY {
        let each = WEBHOOKS / concurrency;
        let what = format!("{concurrency} connections to a function that does nothing");
        let nothing = step(&what, network.measure_empty_function(concurrency, each));
        figures.nothing.push(nothing.await?);
        let webhooks = step(&format!("webhooks on {concurrency} connections"), async {
            let webhooks = network.webhooks(concurrency, each).await?;
            wait_for_queues(running).await?;
            Ok(webhooks)
        })
        .await?;
        figures.webhooks.push(webhooks);
    }
    let processes = running_functions(&running.place.data)?.into_iter();
    let working = processes.filter(|(_, name)| page::works_a_call(name));
    figures.kernel_share = kernel_share(working.map(|(pid, _)| pid));
    step("replies by SMS", replies(network)).await?;
    network.play.quiet(PATIENCE).await?;
    wait_for_queues(running).await?;
    figures.work = Work::of(&running.logs(Some(begun)).await?);
    Ok(())
}

/// The numbers of as many new callers as are billed.
fn callers(network: &Network) -> Result<Vec<Phone>> {
    (0..FOLLOW_UPS).map(|_| network.caller()).collect()
}

/// The bill of some work, a step with this title: of what, and how often it is done.
async fn bill_work(
    running: &Running,
    title: &str,
    what: &str,
    count: usize,
    work: impl Future<Output = Result<()>>,
) -> Result<Billed> {
    let what = what.to_owned();
    step(title, async {
        // Waits for the stream's last batch of earlier work.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let begun = Timestamp::now().as_millisecond();
        work.await?;
        wait_for_queues(running).await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let bill = Bill::of(&running.logs(Some(begun)).await?);
        Ok(Billed { what, count, bill })
    })
    .await
}

/// Calls that are missed, and what these customers write.
async fn done_by_customers(
    running: &Running,
    network: &Network,
    writers: &[Phone],
    figures: &mut Figures,
) -> Result<()> {
    figures.follow_ups.clear();
    for (what, via) in [
        ("one webhook (`call.ended`)", "telephony"),
        ("three webhooks (Twilio)", "twilio"),
    ] {
        let title = format!("{FOLLOW_UPS} follow-ups, {what}");
        let work = Box::pin(follow_ups(network, via));
        let bill = bill_work(running, &title, what, FOLLOW_UPS, work);
        figures.follow_ups.push(bill.await?);
    }
    figures.inbound.clear();
    for what in ["a new contact", KNOWN] {
        let title = format!("{FOLLOW_UPS} messages, each from {what}");
        let work = Box::pin(messages(running, network, writers));
        let bill = bill_work(running, &title, what, FOLLOW_UPS, work);
        figures.inbound.push(bill.await?);
    }
    Ok(())
}

/// Sequential follow-ups, so that no batch makes them cheaper, each until it is read.
async fn follow_ups(network: &Network, via: &str) -> Result<()> {
    let (play, tenant) = (&network.play, &network.tenant);
    for _ in 0..FOLLOW_UPS {
        let from = network.caller()?;
        let more = serde_json::json!({ "via": via });
        play.call(&tenant.id, &from, "missed", more).await?;
        until(PATIENCE, "a message that was read", async || {
            let sent = play.outbox(&tenant.id, &from).await?;
            Ok(came_to(sent.first(), "read"))
        })
        .await?;
        play.quiet(PATIENCE).await?;
    }
    Ok(())
}

/// Whether a message has come to this status.
fn came_to(sent: Option<&Sent>, status: &str) -> Look<()> {
    match sent {
        Some(sent) if sent.is(status) => Look::Seen(()),
        Some(sent) => Look::Instead(sent.latest().to_owned()),
        None => Look::Instead("nothing was sent".to_owned()),
    }
}

/// Each customer writes by WhatsApp, one after the other.
async fn messages(running: &Running, network: &Network, writers: &[Phone]) -> Result<()> {
    let (play, tenant) = (&network.play, &network.tenant);
    for from in writers {
        let text = "Is the lemon cake still there on Saturday?";
        let reply = play.reply(&tenant.id, from, Channel::WhatsApp, text).await?;
        anyhow::ensure!(reply["status"] == 200, "the webhook did not accept a message: {reply}");
        play.quiet(PATIENCE).await?;
        wait_for_queues(running).await?;
    }
    Ok(())
}

/// Replies and assignments in the conversations of these customers, and broadcasts.
async fn done_by_teams(
    running: &Running,
    town: &Town,
    network: &Network,
    customers: &[Phone],
    figures: &mut Figures,
) -> Result<()> {
    figures.team.clear();
    let conversations = network.conversations(customers).await?;
    let (colleague, count) = (network.colleague().await?, conversations.len());
    let assigning = async {
        for (_, conversation) in &conversations {
            network.assign(conversation, &colleague).await?;
        }
        anyhow::Ok(())
    };
    let assigned = bill_work(running, "assignments", page::ASSIGNMENT.0, count, Box::pin(assigning)).await?;
    // A process notes once a day that an API key was used.
    let warm = (0..count).map(|_| network.messages());
    futures::future::try_join_all(warm).await?;
    let replying = async {
        let each = conversations.iter().map(async |(phone, conversation)| {
            let id = network.reply(conversation).await?;
            last_status(network, phone, id, "read").await
        });
        futures::future::try_join_all(each).await?;
        network.play.quiet(PATIENCE).await
    };
    let replied = bill_work(running, "replies", page::REPLY.0, count, Box::pin(replying)).await?;
    figures.team.extend([replied, assigned]);
    for (channel, (what, _)) in [Channel::Sms, Channel::WhatsApp].into_iter().zip(page::BROADCASTS) {
        let other = Network::new(&network.play, town).await?;
        other.people_who_want_messages(RECIPIENTS).await?;
        let broadcasting = Box::pin(async {
            other.broadcast(channel).await?;
            other.play.quiet(PATIENCE).await
        });
        let title = format!("a broadcast to {RECIPIENTS} people");
        let bill = bill_work(running, &title, what, RECIPIENTS, broadcasting);
        figures.team.push(bill.await?);
    }
    Ok(())
}

/// Waits until a message has come to this status.
async fn last_status(network: &Network, to: &Phone, id: MessageId, status: &str) -> Result<()> {
    until(PATIENCE, "the last status of a message", async || {
        let sent = network.play.outbox(&network.tenant.id, to).await?;
        let own = sent.iter().find(|sent| sent.key().is_some_and(|key| key.message == id));
        Ok(came_to(own, status))
    })
    .await
}

/// Messages that software requests, and contacts that it creates or imports.
async fn asked_by_software(running: &Running, network: &Network, figures: &mut Figures) -> Result<()> {
    figures.requested.clear();
    let recipients = callers(network)?;
    for (what, channel) in [
        ("a template by WhatsApp to a new number", Channel::WhatsApp),
        ("a template by WhatsApp to a known contact", Channel::WhatsApp),
        ("an SMS to a known contact", Channel::Sms),
    ] {
        let title = format!("{FOLLOW_UPS} messages by the API, each {what}");
        let work = Box::pin(request_messages(network, &recipients, channel));
        let bill = bill_work(running, &title, what, FOLLOW_UPS, work);
        figures.requested.push(bill.await?);
    }
    let creating = Box::pin(async {
        for _ in 0..FOLLOW_UPS {
            network.create_contact().await?;
        }
        anyhow::Ok(())
    });
    let title = format!("{FOLLOW_UPS} contacts created by the API");
    let created = bill_work(running, &title, "contact created by the API", FOLLOW_UPS, creating);
    figures.created = vec![created.await?];
    let importing = Box::pin(async { Box::pin(network.import_contacts(IMPORTED)).await.map(drop) });
    let title = format!("an import of {IMPORTED} contacts");
    let what = "imported row that creates a contact";
    figures.imported = vec![bill_work(running, &title, what, IMPORTED, importing).await?];
    Ok(())
}

/// A message for each of these recipients, one after the other, each until its last status.
async fn request_messages(network: &Network, recipients: &[Phone], channel: Channel) -> Result<()> {
    let last = match channel {
        Channel::WhatsApp => "read",
        Channel::Sms => "delivered",
    };
    for to in recipients {
        let id = network.request(to, channel).await?;
        last_status(network, to, id, last).await?;
        network.play.quiet(PATIENCE).await?;
    }
    Ok(())
}

/// Customers write by SMS.
async fn replies(network: &Network) -> Result<()> {
    for from in callers(network)? {
        let text = "Please call me back.";
        let reply = network.play.reply(&network.tenant.id, &from, Channel::Sms, text);
        reply.await?;
    }
    Ok(())
}

/// Waits until the queues are empty.
async fn wait_for_queues(running: &Running) -> Result<()> {
    let outputs = running.aws.outputs(crate::deploy::STACK).await?;
    let (queues, session) = (Queue::all(&outputs), running.aws.session()?);
    until(PATIENCE, "empty queues", async || {
        let mut waiting = 0;
        for Queue { url, .. } in &queues {
            let [visible, in_flight, _] = inspect::depth(&session, url).await?;
            waiting += visible + in_flight;
        }
        Ok(Look::when(waiting == 0, || format!("{waiting} records")))
    })
    .await
}

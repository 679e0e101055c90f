//! The shared state of all simulated providers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use tokio::sync::{broadcast, watch};

use crate::clock::Clock;
use crate::config::{Config, Tenant};
use crate::delivery::{Deliveries, Outcome, Webhook};
use crate::faults::{Event, Faults, Kind};
use crate::graph::{Templates, Upload};
use crate::lock;
use crate::media::Medium;
use crate::outbox::Sent;
use crate::phones::{Note, Phone, Phones};
use crate::push::PushSent;
use crate::random::Random;
use crate::receivers::Receiver;
use crate::ses::MailSent;
use crate::twilio::{Contents, Recording};

pub(crate) type Sims = Arc<World>;

/// The customer service window.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug)]
pub(crate) struct World {
    config: RwLock<Arc<Config>>,
    state: Mutex<State>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) deliveries: Deliveries,
    /// Goes straight to an address, and follows no redirects.
    pub(crate) http: reqwest::Client,
    /// Numbers whose phone changed, `mails` for mails, `*` for everything.
    pub(crate) changes: broadcast::Sender<String>,
    faults_version: watch::Sender<u64>,
    /// Number of statuses and webhooks still to come.
    busy: Arc<AtomicU64>,
    /// Number of messages that wait for a phone that is off.
    held: Arc<AtomicU64>,
    ids: AtomicU64,
    id_start: u64,
    /// Where the simulators listen, without a trailing slash.
    pub(crate) url: String,
    /// Moved when something may become due earlier: the clock, or a template.
    timers: watch::Sender<u64>,
    stop: watch::Receiver<bool>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Randomness that need not be reproducible per request, such as the choice among several 5xx.
    pub(crate) random: Random,
    pub(crate) faults: Faults,
    pub(crate) phones: Phones,
    pub(crate) outbox: Vec<Sent>,
    by_id: HashMap<String, usize>,
    /// (business's WhatsApp sender, customer) → the customer's last message.
    pub(crate) windows: HashMap<(String, String), Timestamp>,
    /// (SMS sender, customer) after STOP.
    pub(crate) opt_outs: HashSet<(String, String)>,
    /// (tenant, customer) who stopped marketing messages in WhatsApp.
    pub(crate) marketing_stopped: HashSet<(String, String)>,
    /// Kills so far, by recipient and message.
    pub(crate) kills: HashMap<(String, String), u32>,
    /// Files that the providers hold, by id.
    pub(crate) media: HashMap<String, Medium>,
    /// Resumable uploads by session id, and files by handle.
    pub(crate) uploads: HashMap<String, Upload>,
    pub(crate) templates: Templates,
    pub(crate) contents: Contents,
    /// Recordings of calls by SID.
    pub(crate) recordings: HashMap<String, Recording>,
    pub(crate) mails: Vec<MailSent>,
    /// Receivers of outgoing webhooks, by name.
    pub(crate) receivers: BTreeMap<String, Receiver>,
    pub(crate) pushes: Vec<PushSent>,
}

/// Counts as work in progress, or as a message that waits for a phone, while it exists.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicU64>);

impl Counted {
    fn new(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl State {
    pub(crate) fn new(config: &Config, clock: &Arc<Clock>) -> Self {
        let seed = config.seed;
        let mut templates = Templates::default();
        templates.configure(config, clock.now());
        Self {
            random: Random::new(seed),
            faults: Faults::new(seed, Arc::clone(clock)),
            templates,
            ..Self::default()
        }
    }

    pub(crate) fn keep(&mut self, sent: Sent) {
        self.phone(&sent.to);
        self.by_id.insert(sent.id.clone(), self.outbox.len());
        self.outbox.push(sent);
    }

    pub(crate) fn sent_mut(&mut self, id: &str) -> Option<&mut Sent> {
        self.outbox.get_mut(*self.by_id.get(id)?)
    }

    /// Whether this id is a message between a business and a customer.
    pub(crate) fn knows_message(&self, tenant: &str, number: &str, id: &str) -> bool {
        let place = self.by_id.get(id).and_then(|place| self.outbox.get(*place));
        let sent = place.is_some_and(|sent| sent.tenant == tenant && sent.to == number);
        let notes = self.phones.get(number).map_or(&[][..], |phone| phone.notes.as_slice());
        sent || notes.iter().any(|note| note.tenant == tenant && note.id == id)
    }

    pub(crate) fn phone(&mut self, number: &str) -> &mut Phone {
        self.phones.entry(number.to_owned()).or_default()
    }

    pub(crate) fn note(&mut self, number: &str, note: Note) {
        self.phone(number).notes.push(note);
    }

    pub(crate) fn fault(&mut self, event: Event<'_>, kinds: &[Kind]) -> Option<crate::faults::Rule> {
        self.faults.take_if(event, kinds, |_| true)
    }

    /// Number of deliveries of each webhook of an event.
    pub(crate) fn copies(&mut self, event: Event<'_>) -> u32 {
        self.fault(event, &[Kind::DuplicateWebhooks]).map_or(1, |_| 3)
    }

    /// Whether the customer wrote to this WhatsApp sender within the last 24 hours.
    pub(crate) fn window_is_open(&self, sender: &str, number: &str, now: Timestamp) -> bool {
        let last = self.windows.get(&(sender.to_owned(), number.to_owned()));
        last.is_some_and(|last| now.duration_since(*last) < WINDOW)
    }
}

impl World {
    pub(crate) fn new(config: Config, http: reqwest::Client, url: String, stop: watch::Receiver<bool>) -> Self {
        let clock = Arc::new(Clock::default());
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            state: Mutex::new(State::new(&config, &clock)),
            http: http.clone(),
            deliveries: Deliveries::new(http, config.delivery.concurrency, Arc::clone(&clock), stop.clone()),
            config: RwLock::new(Arc::new(config)),
            clock,
            changes: broadcast::channel(1024).0,
            faults_version: watch::channel(0).0,
            busy: Arc::default(),
            held: Arc::default(),
            ids: AtomicU64::new(1),
            // Unlike the faults' dice, ids are not seeded: a restarted simulator must not repeat those of its last run.
            id_start: u64::try_from(started.as_micros()).unwrap_or(u64::MAX),
            url,
            timers: watch::channel(0).0,
            stop,
        }
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub(crate) fn replace_config(&self, config: Config) {
        *self.config.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(config);
        self.configure_templates();
    }

    pub(crate) fn put_tenant(&self, tenant: Tenant) {
        {
            let mut config = self.config.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            let config = Arc::make_mut(&mut config);
            config.tenants.retain(|known| known.id != tenant.id);
            config.tenants.push(tenant);
        }
        self.configure_templates();
    }

    /// Templates of the configuration that changed replace those of before.
    fn configure_templates(&self) {
        let config = self.config();
        self.state().templates.configure(&config, self.now());
        self.notify_viewers("*");
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// 32 hexadecimal digits, unique.
    pub(crate) fn hex_id(&self) -> String {
        format!(
            "{:016x}{:016x}",
            self.id_start,
            self.ids.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// Id of a WhatsApp message.
    pub(crate) fn wamid(&self) -> String {
        format!("wamid.{}", STANDARD.encode(format!("SIM:{}", self.hex_id())))
    }

    /// Digits only, as Meta's ids are.
    pub(crate) fn numeric_id(&self) -> String {
        format!("{}{:05}", self.id_start, self.ids.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn notify_viewers(&self, number: &str) {
        // There may be no viewer.
        let _ = self.changes.send(number.to_owned());
    }

    pub(crate) fn faults_changed(&self) {
        self.faults_version.send_modify(|version| *version += 1);
        self.notify_viewers("*");
    }

    pub(crate) fn busy(&self) -> Counted {
        Counted::new(&self.busy)
    }

    pub(crate) fn busy_count(&self) -> u64 {
        self.busy.load(Ordering::SeqCst)
    }

    pub(crate) fn held_count(&self) -> u64 {
        self.held.load(Ordering::SeqCst)
    }

    /// Waits until the rule that holds a message is removed or ends.
    pub(crate) async fn wait_for_phone(&self, rule: u64, seconds: Option<f64>) {
        let _held = Counted::new(&self.held);
        let mut versions = self.faults_version.subscribe();
        let back = async {
            while self.state().faults.exists(rule) {
                if versions.changed().await.is_err() {
                    return;
                }
            }
        };
        match seconds {
            Some(seconds) => drop(tokio::time::timeout(Duration::from_secs_f64(seconds.max(0.0)), back).await),
            None => back.await,
        }
    }

    pub(crate) async fn deliver(&self, webhook: &Webhook) -> Outcome {
        self.deliveries.deliver(webhook, self.config().delivery).await
    }

    /// Delivers in the background, `copies` times, each slightly later.
    pub(crate) fn deliver_later(self: &Arc<Self>, webhook: &Webhook, after: Duration, copies: u32) {
        for copy in 0..copies {
            let (world, webhook, busy) = (Arc::clone(self), webhook.clone(), self.busy());
            let jitter = Duration::from_millis(u64::from(copy) * 15);
            tokio::spawn(async move {
                tokio::time::sleep(after + jitter).await;
                world.deliver(&webhook).await;
                drop(busy);
            });
        }
    }

    /// Ends the sleep of whoever waits for a time of the clock.
    pub(crate) fn timers_changed(&self) {
        self.timers.send_modify(|version| *version += 1);
    }

    pub(crate) fn timers(&self) -> watch::Receiver<u64> {
        self.timers.subscribe()
    }

    /// A proof that this simulator made an address.
    pub(crate) fn proof(&self, text: &str) -> String {
        let hash = Sha256::digest(format!("{}/{text}", self.id_start));
        hex::encode(&hash[..16])
    }

    pub(crate) fn watch_stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }
}

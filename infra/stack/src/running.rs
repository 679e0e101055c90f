//! A whole stack, from nothing to endpoints and back: MiniStack, the deployed functions, the seeded tenants, the simulators
//! and the public port.

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::{Aws, LogEvent, REGION, output};
use crate::build::{self, Builder, Function, Profile};
use crate::deploy::{self, Deployed, META_APP_SECRET, STACK};
use crate::endpoints::Endpoints;
use crate::place::{Place, read_json, write_json};
use crate::process::Server;
use crate::proxy::Proxy;
use crate::report::step;
use crate::secrets::Vault;
use crate::tools::{Tools, fingerprint, is_stamped, remove};
use crate::{clock, console, ministack, people, seed};

/// Options of a stack.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// State, logs and secrets of the stack [default: .stack/data]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// The API's port [default: a free one]
    #[arg(long)]
    pub port: Option<u16>,
    /// Origin to which events may go besides those of the simulators, such as an n8n's: `http://127.0.0.1:5678`. May be repeated
    #[arg(long = "webhook-host", value_name = "ORIGIN")]
    pub webhook_hosts: Vec<String>,
    /// Delete the data directory's state first
    #[arg(skip)]
    pub fresh: bool,
    /// Build profile of the functions
    // Help shows it last.
    #[arg(long, value_enum, default_value_t = Profile::Local, display_order = 9)]
    pub profile: Profile,
}

impl Options {
    /// Options of a single command's own stack, created from nothing: `.stack/<name>`.
    pub fn throwaway(name: &str) -> Result<Self> {
        let place = Place::new(None)?;
        Ok(Self {
            data_dir: Some(place.dot.join(name)),
            fresh: true,
            ..Self::default()
        })
    }
}

/// Ports that a data directory keeps between runs, because queue URLs in MiniStack's state contain them.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Ports {
    ministack: u16,
    api: u16,
    simulators: u16,
}

/// A running stack. Stop it with [`Running::stop`]; if it is dropped, its children end too, but in no order.
#[derive(Debug)]
pub struct Running {
    pub place: Place,
    pub tools: Tools,
    pub aws: Aws,
    pub endpoints: Endpoints,
    pub functions: Vec<Function>,
    // Child processes, in the order in which they are dropped.
    proxy: Proxy,
    simulators: Server,
    ministack: Server,
    _lock: File,
}

impl Running {
    /// Starts everything and reuses what is up to date.
    pub async fn start(options: &Options) -> Result<Self> {
        let place = Place::new(options.data_dir.as_deref())?;
        let lock = lock(&place)?;
        if options.fresh {
            forget(&place)?;
        }
        let tools = Tools::at(&place);
        let functions = build::functions(&place.root)?;
        let builder = Builder::new(place.clone(), tools.clone(), options.profile);
        let alone = builder.take_turn().await?;
        // Cargo compiles while the tools are set up, MiniStack starts and npm builds. What is dropped first is cargo.
        let others = async {
            Tools::set_up(&place).await?;
            forget_if_outdated(&place)?;
            let (ports, proxy) = bind(&place, options.port).await?;
            let ministack = ministack::start(&place, &tools, ports.ministack)?;
            console::build_if_possible(&place, &tools).await;
            Ok((ports, proxy, ministack))
        };
        let compiled = Box::pin(compile_early(&builder, options.profile, &functions));
        let (late, (ports, proxy, mut ministack)) = tokio::try_join!(compiled, Box::pin(others))?;
        step("building what needs tools or the console", builder.compile(&late)).await?;
        ministack::wait_until_ready(&mut ministack, ports.ministack).await?;

        let aws = Aws::local(tools.clone(), ministack::endpoint(ports.ministack));
        let api = format!("http://127.0.0.1:{}", ports.api);
        let simulators_url = format!("http://127.0.0.1:{}", ports.simulators);
        let mut vault = Vault::open(&place.data)?;
        // Started before the functions, because work left from the last run begins as soon as they run.
        let seeds = seed::load(&place, &mut vault)?;
        let config = place.data.join("simulators.json");
        write_json(&config, &seed::simulators(&api, &seeds))?;
        let (mut command, log) = (tools.bridge(), place.logs().join("simulators.log"));
        command.arg("tied").arg(builder.simulators());
        command.args(["--port", &ports.simulators.to_string()]);
        command.arg("--config").arg(&config);
        let mut simulators = Server::start("simulators", &mut command, log, Duration::from_secs(5))?;
        let http = ministack::client()?;
        let ready = || ministack::http_ok(&http, ports.simulators, "/healthz");
        simulators.wait_until(Duration::from_secs(30), ready).await?;
        let offset = clock::read_offset(&place);
        clock::move_simulators(&simulators_url, offset).await?;

        let meta_app = json!({
            "app_secret": vault.secret("meta.app_secret")?,
            "verify_token": vault.secret("meta.verify_token")?,
        });
        put_secret(&aws, META_APP_SECRET, &meta_app).await?;
        // The simulators' receivers, and the host of the document's example, which has no address.
        let own = [simulators_url.as_str(), "https://n8n.example.com"].map(str::to_owned);
        let hosts = [&own[..], &options.webhook_hosts].concat();
        let parameters = [
            ("Stage", "local".to_owned()),
            ("LogLevel", "info".to_owned()),
            ("PublicBaseUrl", api.clone()),
            ("GraphApiUrl", simulators_url.clone()),
            ("TwilioApiUrl", simulators_url.clone()),
            ("TwilioContentUrl", simulators_url.clone()),
            ("AircallApiUrl", simulators_url.clone()),
            ("VonageApiUrl", simulators_url.clone()),
            ("ExotelApiUrl", simulators_url.clone()),
            ("ExotelIndiaApiUrl", simulators_url.clone()),
            ("PlivoApiUrl", simulators_url.clone()),
            ("WebhookHosts", hosts.join(",")),
            ("AwsEndpointUrl", ministack::endpoint(ports.ministack)),
            ("SesEndpointUrl", simulators_url.clone()),
            ("MailFrom", "ringback@ringback.example".to_owned()),
            ("MetaAppSecretId", META_APP_SECRET.to_owned()),
            ("LocalOrigins", "http://localhost:5173".to_owned()),
            ("SignUp", "open".to_owned()),
            // Tests log in and sign up hundreds of times from one address. The limits themselves are tested in process.
            ("AuthLimitFactor", "1000".to_owned()),
            // What tests queue at once would find no place in the throughput of its number, and wait.
            ("BulkConcurrency", "5".to_owned()),
        ];
        deploy::deploy(&place, &tools, &aws, &builder, &functions, &parameters).await?;
        drop(alone);
        if offset > 0 {
            // A deployment takes it away.
            step("moving the time", clock::move_functions(&aws, &functions, offset)).await?;
        }
        let outputs = aws.outputs(STACK).await?;
        let api_id = output(&outputs, "ApiUrl")?.split("//").nth(1);
        let api_id = api_id.and_then(|host| host.split('.').next());
        let api_id = api_id.context("an API's URL begins with its id")?;
        proxy.forward_to(ports.ministack, api_id, output(&outputs, "LiveApiId")?)?;

        let platform_admin = people::platform_admin(&mut vault)?;
        let seeding = seed::write(&aws, &outputs, &seeds, &mut vault, &platform_admin);
        step("seeding tenants", Box::pin(seeding)).await?;
        let endpoints = Endpoints {
            api,
            simulators: simulators_url,
            aws_endpoint: ministack::endpoint(ports.ministack),
            region: REGION.to_owned(),
            stack: STACK.to_owned(),
            profile: options.profile,
            table: output(&outputs, "TableName")?.to_owned(),
            clock_offset_seconds: offset,
            pid: std::process::id(),
            tenants: seeds.iter().map(seed::Seed::endpoint).collect(),
            platform_admin,
        };
        endpoints.write(&place)?;
        Ok(Self {
            place,
            tools,
            aws,
            endpoints,
            functions,
            proxy,
            simulators,
            ministack,
            _lock: lock,
        })
    }

    /// Resolves with the reason when a child ends by itself.
    pub async fn wait_for_failure(&mut self) -> anyhow::Error {
        tokio::select! {
            error = self.ministack.wait_for_end() => error,
            error = self.simulators.wait_for_end() => error,
        }
    }

    /// Invokes a function by its crate's name and waits for the answer, so that `dispatch_due` need not wait for its minute.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value> {
        let name = build::function(&self.place.root, function)?.deployed_name(STACK);
        let invoke = json!({ "FunctionName": name, "Payload": payload.to_string() });
        self.aws.call("lambda", "invoke", invoke).await
    }

    /// All functions' log lines since a time (milliseconds since 1970).
    pub async fn logs(&self, since: Option<i64>) -> Result<Vec<LogEvent>> {
        let groups = build::log_groups(&self.functions, STACK);
        self.aws.logs(&groups, since).await
    }

    /// Stops everything, children first, keeping the emulator's state.
    pub async fn stop(self) -> Result<()> {
        let _ = std::fs::remove_file(self.place.endpoints());
        drop(self.proxy);
        self.simulators.stop().await?;
        let in_order = self.ministack.stop().await?;
        let mut deployed = Deployed::read(&self.place);
        deployed.clean = in_order;
        deployed.write(&self.place)
    }
}

/// Chooses the ports, records them, and takes the API's.
async fn bind(place: &Place, port: Option<u16>) -> Result<(Ports, Proxy)> {
    let mut ports = ports(place, port)?;
    let proxy = Proxy::bind(ports.api).await?;
    ports.api = proxy.port();
    let was: Ports = read_json(&place.data.join("ports.json")).unwrap_or_default();
    if was.ministack != 0 && was.ministack != ports.ministack {
        eprintln!(
            "· port {} is in use; the emulator's state contains it in URLs, so the state is deleted",
            was.ministack
        );
        forget(place)?;
    }
    write_json(&place.data.join("ports.json"), &ports)?;
    Ok((ports, proxy))
}

/// Compiles the simulators, and the functions that need neither the tools, as all shipped ones do, nor the built console. Returns the others.
async fn compile_early(builder: &Builder, profile: Profile, functions: &[Function]) -> Result<Vec<Function>> {
    let is_early = |function: &Function| profile == Profile::Local && function.name != console::FUNCTION;
    let (early, late): (Vec<_>, Vec<_>) = functions.iter().cloned().partition(is_early);
    if !early.is_empty() {
        step("building functions", builder.compile(&early)).await?;
    }
    step("building simulators", builder.compile_simulators()).await?;
    Ok(late)
}

/// Compiles one function and deploys it to the stack that runs in this data directory.
pub async fn redeploy(place: &Place, tools: &Tools, aws: &Aws, function: &Function, profile: Profile) -> Result<()> {
    let builder = &Builder::new(place.clone(), tools.clone(), profile).separate();
    let _alone = builder.take_turn().await?;
    if function.name == console::FUNCTION {
        console::build(place, tools).await?;
    }
    let what = format!("building {}", function.name);
    step(&what, builder.compile(std::slice::from_ref(function))).await?;
    let before = builder.write_scripts(std::slice::from_ref(function))?;
    let what = format!("updating {}", function.name);
    step(&what, deploy::update_code(aws, builder, &[function])).await?;
    builder.delete_links(&before)?;
    deploy::note_updated(place, builder, function)
}

async fn put_secret(aws: &Aws, name: &str, value: &Value) -> Result<()> {
    let create = json!({ "Name": name, "SecretString": value.to_string() });
    if aws.call("secretsmanager", "create_secret", create).await.is_err() {
        let update = json!({ "SecretId": name, "SecretString": value.to_string() });
        aws.call("secretsmanager", "put_secret_value", update).await?;
    }
    Ok(())
}

/// Lock that allows one `cargo stack` per data directory.
fn lock(place: &Place) -> Result<File> {
    let path = place.data.join("lock");
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))?;
    if file.try_lock().is_err() {
        let owner = std::fs::read_to_string(&path).unwrap_or_default();
        bail!(
            "a stack is already running in {} (process {}); stop it with `cargo stack down`, or give another --data-dir",
            place.data.display(),
            owner.trim()
        );
    }
    file.set_len(0).context("writing the lock")?;
    write!(file, "{}", std::process::id()).context("writing the lock")?;
    Ok(file)
}

/// The process that runs the stack in this data directory, if any.
pub fn owner(place: &Place) -> Option<u32> {
    let path = place.data.join("lock");
    let file = File::options().write(true).open(&path).ok()?;
    if file.try_lock().is_ok() {
        return None;
    }
    std::fs::read_to_string(&path).ok()?.trim().parse().ok()
}

/// Deletes the emulator's state and our record of it; secrets stay.
fn forget(place: &Place) -> Result<()> {
    for folder in ["state", "s3"] {
        remove(&place.data.join(folder))?;
    }
    for file in ["deployed.json", "ports.json", clock::FILE] {
        let _ = std::fs::remove_file(place.data.join(file));
    }
    Ok(())
}

/// Deletes the state of another MiniStack version, which may be unreadable.
fn forget_if_outdated(place: &Place) -> Result<()> {
    let pins = place.root.join("infra/stack/python/ministack.lock");
    let stamp = place.data.join("ministack.sha256");
    let now = fingerprint([pins.as_path()])?;
    if !is_stamped(&stamp, &now) {
        forget(place)?;
        std::fs::write(&stamp, now).context("recording MiniStack's version")?;
    }
    Ok(())
}

/// The ports of the last run if they are still free, otherwise others.
fn ports(place: &Place, api: Option<u16>) -> Result<Ports> {
    let was: Ports = read_json(&place.data.join("ports.json")).unwrap_or_default();
    // Held until all are chosen, so that no port is chosen twice.
    let mut held = Vec::new();
    let mut pick = |wanted: u16| -> Result<u16> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
            .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .context("looking for a free port")?;
        let port = listener.local_addr().context("reading the chosen port")?.port();
        held.push(listener);
        Ok(port)
    };
    Ok(Ports {
        ministack: pick(was.ministack)?,
        simulators: pick(was.simulators)?,
        api: match api {
            Some(port) => port,
            None => pick(was.api)?,
        },
    })
}

//! See the library, and `cargo stack help`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;
use stack::aws::Aws;
use stack::bench::{self, Part};
use stack::build::{self, Profile};
use stack::endpoints::Endpoints;
use stack::place::Place;
use stack::running::{self, Options};
use stack::samconfig::Environment;
use stack::tenant::{self, Deployment};
use stack::test::{self, selected};
use stack::tools::Tools;
use stack::{advisories, chaos, checks, clock, console, demo, fuzz, iam, inspect, up, why};

#[derive(Parser)]
#[command(
    name = "cargo stack",
    bin_name = "cargo stack",
    about = "Run, deploy and operate Ringback",
    disable_version_flag = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Clone)]
struct Where {
    /// State, logs and secrets of the stack [default: .stack/data]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

impl Where {
    fn place(&self) -> Result<Place> {
        Place::new(self.data_dir.as_deref())
    }
}

/// A stack to inspect: the one that runs here, or one on AWS.
#[derive(Args, Clone)]
struct Target {
    /// Use the stack on AWS, with your own credentials
    #[arg(long, value_parser = ["dev", "prod"])]
    stage: Option<String>,
    #[command(flatten)]
    place: Where,
}

struct Found {
    place: Place,
    aws: Aws,
    stack: String,
    endpoints: Option<Endpoints>,
}

impl Target {
    async fn find(&self) -> Result<Found> {
        let place = self.place.place()?;
        let Some(stage) = &self.stage else {
            let endpoints = Endpoints::of_running(&place)?;
            let tools = Tools::set_up(&place).await?;
            return Ok(Found {
                place,
                aws: Aws::local(tools, endpoints.aws_endpoint.clone()),
                stack: endpoints.stack.clone(),
                endpoints: Some(endpoints),
            });
        };
        let tools = Tools::set_up(&place).await?;
        let environment = Environment::read(&place.root, stage)?;
        let aws = Aws::real(tools, &environment).await?;
        if let Some(warning) = inspect::low_concurrency(&aws, &place).await {
            eprintln!("warning: {warning}");
        }
        Ok(Found {
            place,
            aws,
            stack: environment.stack_name,
            endpoints: None,
        })
    }
}

impl Found {
    async fn deployment(&self) -> Result<(Deployment, BTreeMap<String, String>)> {
        let outputs = self.aws.outputs(&self.stack).await?;
        Ok((Deployment::new(&outputs, &self.aws).await?, outputs))
    }

    fn tenant(&self, given: Option<&str>) -> Result<String> {
        match (&self.endpoints, given) {
            (Some(endpoints), given) => inspect::tenant_id(endpoints, given),
            (None, Some(id)) => Ok(id.to_owned()),
            (None, None) => bail!("on AWS, --tenant is required"),
        }
    }
}

#[derive(Subcommand)]
enum TenantCommand {
    /// Write a tenant with its connections, rules, templates and products, and print its webhook URLs
    Apply {
        /// See infra/stack/tenants/ for examples; `$env:NAME` is replaced by an environment variable
        file: PathBuf,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Subcommand)]
enum ConsoleCommand {
    /// Serve the console of the working copy, with the API of the running stack
    Dev,
    /// Deploy the console of the working copy to the running stack, and test it in a browser
    Test,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything from nothing and show a missed call, what follows and the bill; exits with 0 only if all steps were seen
    Demo {
        #[command(flatten)]
        options: Options,
        /// Keep running afterwards, to try the customers' phones
        #[arg(long)]
        stay: bool,
    },
    /// Set up the tools in .stack/ (every other command does so, too)
    Setup,
    /// Build, deploy and keep running: API, functions, tenants, simulators
    Up {
        #[command(flatten)]
        options: Options,
        /// Delete the data directory's state first
        #[arg(long)]
        fresh: bool,
    },
    /// Stop a running stack
    Down {
        #[command(flatten)]
        place: Where,
    },
    /// Build one function and deploy it to the running stack
    Deploy {
        /// Its crate's name, such as send_message
        function: String,
        #[command(flatten)]
        place: Where,
        /// Build profile
        #[arg(long, value_enum, default_value_t = Profile::Local)]
        profile: Profile,
    },
    /// Build the console, if its sources have changed since the last time
    Console {
        #[command(subcommand)]
        command: Option<ConsoleCommand>,
        #[command(flatten)]
        place: Where,
    },
    /// Place a call through the simulators
    Call {
        /// The caller's number in E.164, or `anonymous`
        #[arg(long)]
        from: String,
        /// missed, busy, answered, voicemail, abandoned, failed, after_hours
        #[arg(long, default_value = "missed")]
        outcome: String,
        /// Called tenant, by id or part of the name [default: the first]
        #[arg(long)]
        tenant: Option<String>,
        /// twilio, telephony, aircall, vonage, exotel or plivo, if the tenant has it
        #[arg(long)]
        via: Option<String>,
        #[command(flatten)]
        place: Where,
    },
    /// Print everything that happened with a customer, with every decision and its reason
    Why {
        /// The customer's number in E.164
        #[arg(long)]
        to: String,
        /// The customer's tenant, by id or part of the name [default: the first]
        #[arg(long)]
        tenant: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Write tenants
    Tenant {
        #[command(subcommand)]
        command: TenantCommand,
    },
    /// Print a function's log
    Logs {
        /// Its crate's name, such as send_message
        function: String,
        /// Follow until Ctrl-C
        #[arg(short, long)]
        follow: bool,
        #[command(flatten)]
        target: Target,
    },
    /// List dead letters and given-up changes, or process them again
    Dlq {
        /// Send this queue's dead letters back to it, such as `provider-events`, or process given-up `changes` or `events` again
        #[arg(long, value_name = "QUEUE")]
        redrive: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Show the running stack's time, or move it forward, so that tomorrow can be watched today
    Clock {
        /// By how much, such as +24h, +90m or +7d [default: only show it]
        #[arg(value_parser = clock::distance)]
        by: Option<SignedDuration>,
        #[command(flatten)]
        place: Where,
    },
    /// Sum up the AWS calls of all functions and their cost in dollars
    Bill {
        #[command(flatten)]
        target: Target,
    },
    /// Place calls while providers fail and functions are killed, then check that all promises held
    Chaos {
        /// State, logs and secrets of the stack, deleted first [default: .stack/chaos]
        #[arg(long, value_name = "FOLDER")]
        data_dir: Option<PathBuf>,
        /// Take about 90 seconds instead of a quarter of an hour
        #[arg(long)]
        short: bool,
        /// Number of calls [default: 500; short: 120]
        #[arg(long)]
        calls: Option<usize>,
        /// Repeat the choices of the run that printed this seed
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Start everything from nothing and run the whole test suite, or the tests of some packages without a stack
    Test {
        /// Run the tests of this package only, with the emulator of `up` if it runs; can be repeated
        #[arg(long = "package", short = 'p')]
        packages: Vec<String>,
        /// Run the tests of the packages that differ from the last commit on `main`, and of those that depend on them
        #[arg(long)]
        changed: bool,
        /// Arguments for the test binaries, such as a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure size, start, latency, CPU, memory and dollars, and write docs/benchmarks.md
    Bench {
        /// Measure only this; can be repeated [default: all]
        #[arg(long, value_enum)]
        part: Vec<Part>,
        /// Build profile of the functions
        #[arg(long, value_enum, default_value_t = Profile::Shipped)]
        profile: Profile,
    },
    /// Compare every function's role with what the last whole test run used of it
    Iam {
        /// Change roles at random, too, by this seed: each change must be found
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Send valid and invalid input to every operation and check the answers against the contract (the long run)
    Fuzz {
        /// Repeat the requests of the run that printed this seed
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Write docs/openapi.json, docs/permissions.md and docs/problems.md from the code, and lint the document
    Contract,
    /// Ask for published vulnerabilities of crates, npm and Python packages, and say whether time zones, plans of telephone numbers, prices
    /// and rules for SMS are outdated
    Advisories,
    /// Check formatting, lints, dependencies, spelling, the template and the contract
    Check {
        /// The code was compiled by Clippy's driver already, as in CI
        #[arg(long)]
        linted: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Box::pin(run(Cli::parse().command)).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo stack: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<bool> {
    match command {
        Command::Demo { options, stay } => return Box::pin(demo::demo(&options, stay)).await,
        Command::Setup => Tools::set_up(&Place::new(None)?).await.map(drop)?,
        Command::Up { options, fresh } => up::up(&Options { fresh, ..options }).await?,
        Command::Down { place } => up::down(&place.place()?).await?,
        Command::Deploy {
            function,
            place,
            profile,
        } => {
            let place = place.place()?;
            let function = build::function(&place.root, &function)?;
            let endpoints = Endpoints::of_running(&place)?;
            let tools = Tools::set_up(&place).await?;
            let aws = Aws::local(tools.clone(), endpoints.aws_endpoint);
            running::redeploy(&place, &tools, &aws, &function, profile).await?;
        }
        Command::Console { command, place } => {
            let place = place.place()?;
            match command {
                None => console::build(&place, &Tools::set_up(&place).await?).await?,
                Some(ConsoleCommand::Dev) => console::dev(&place).await?,
                Some(ConsoleCommand::Test) => return Box::pin(console::test(&place)).await,
            }
        }
        Command::Call {
            from,
            outcome,
            tenant,
            via,
            place,
        } => {
            let endpoints = Endpoints::of_running(&place.place()?)?;
            inspect::call(&endpoints, tenant.as_deref(), &from, &outcome, via.as_deref()).await?;
        }
        Command::Why { to, tenant, target } => {
            let found = target.find().await?;
            let tenant = found.tenant(tenant.as_deref())?.parse().context("parsing --tenant")?;
            let (deployment, _) = found.deployment().await?;
            for why::Line { at, text } in why::timeline(&deployment.store, tenant, &to).await? {
                println!("{at:.3}  {text}");
            }
        }
        Command::Tenant {
            command: TenantCommand::Apply { file, target },
        } => apply(&file, &target.find().await?).await?,
        Command::Logs {
            function,
            follow,
            target,
        } => {
            let found = target.find().await?;
            let function = build::function(&found.place.root, &function)?;
            inspect::logs(&found.aws, &found.stack, &function, follow).await?;
        }
        Command::Dlq { redrive, target } => {
            let found = target.find().await?;
            match redrive {
                None => inspect::dead_letters(&found.aws, &found.stack).await?,
                Some(letters) => inspect::redrive(&found.aws, &found.place, &found.stack, &letters).await?,
            }
        }
        Command::Clock { by, place } => clock::clock(&place.place()?, by).await?,
        Command::Bill { target } => {
            let found = target.find().await?;
            let bill = inspect::bill(&found.aws, &found.place, &found.stack, None).await?;
            println!("{}", bill.show(bill.count_send_requests()));
        }
        Command::Chaos {
            data_dir,
            short,
            calls,
            seed,
        } => {
            let mut options = Options::throwaway("chaos")?;
            options.data_dir = data_dir.or(options.data_dir);
            let mut size = if short { chaos::Size::SHORT } else { chaos::Size::LONG };
            size.calls = calls.unwrap_or(size.calls);
            let seed = seed.map_or_else(chaos::new_seed, Ok)?;
            return Box::pin(chaos::chaos(&options, size, seed)).await;
        }
        Command::Test {
            packages,
            changed,
            arguments,
        } if changed || !packages.is_empty() => {
            return selected::test(&Place::new(None)?, &packages, changed, &arguments).await;
        }
        Command::Test { arguments, .. } => {
            return test::test(&Options::throwaway("test")?, &arguments).await;
        }
        Command::Bench { part, profile } => Box::pin(bench::bench(profile, &part)).await?,
        Command::Iam { seed } => return iam::check(&Place::new(None)?, seed),
        Command::Fuzz { seed } => {
            let seed = seed.map_or_else(chaos::new_seed, Ok)?;
            println!("seed {seed}");
            Box::pin(fuzz::run_on_own_stack(&Options::throwaway("fuzz")?, seed)).await?;
        }
        Command::Contract => checks::contract(&Place::new(None)?).await?,
        Command::Advisories => return advisories::ask(&Place::new(None)?).await,
        Command::Check { linted } => Box::pin(checks::check(&Place::new(None)?, linted)).await?,
    }
    Ok(true)
}

async fn apply(file: &Path, found: &Found) -> Result<()> {
    let tenant = tenant::read(file, &mut tenant::from_environment)?;
    let (deployment, outputs) = found.deployment().await?;
    for problem in Box::pin(deployment.apply(&tenant)).await? {
        eprintln!("warning: {problem}");
    }
    println!("{} ({}) is written.\n", tenant.tenant.name, tenant.tenant.id);
    let base = found
        .endpoints
        .as_ref()
        .map(|endpoints| &endpoints.api)
        .or_else(|| outputs.get("WebhookBaseUrl"));
    for (what, url) in tenant::webhook_urls(base.map_or("", String::as_str), &tenant) {
        println!("{what:40} {url}");
    }
    Ok(())
}

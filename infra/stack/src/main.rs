//! See the library, and `cargo stack help`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use stack::{
    build::{self, Builder, Profile},
    checks, demo,
    place::Place,
    running::Options,
    test,
    tools::Tools,
    up,
};

#[derive(Parser)]
#[command(
    name = "cargo stack",
    bin_name = "cargo stack",
    about = "Ringback on this machine",
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

#[derive(Subcommand)]
enum Command {
    /// Everything from nothing, then a missed call and what may follow, and the bill; exits 0 only if all was seen
    Demo {
        #[command(flatten)]
        place: Where,
        /// The API's port [default: a free one]
        #[arg(long)]
        port: Option<u16>,
        /// Keep running afterwards, to play with the customers' phones
        #[arg(long)]
        stay: bool,
    },
    /// Set up the tools in .stack/ (every other command does so, too)
    Setup,
    /// Build, deploy and keep running: API, functions, tenants, simulators
    Up {
        #[command(flatten)]
        place: Where,
        /// The API's port [default: a free one]
        #[arg(long)]
        port: Option<u16>,
        /// Forget what the data directory holds
        #[arg(long)]
        fresh: bool,
        /// How functions are compiled
        #[arg(long, value_enum, default_value_t = Profile::Everyday)]
        profile: Profile,
    },
    /// Stop a running stack
    Down {
        #[command(flatten)]
        place: Where,
    },
    /// Build one function and put it into the running stack
    Deploy {
        /// Its crate's name, such as send_message
        function: String,
        #[command(flatten)]
        place: Where,
        /// How it is compiled
        #[arg(long, value_enum, default_value_t = Profile::Everyday)]
        profile: Profile,
    },
    /// Everything from nothing and the whole test suite
    Test {
        /// For the test binaries, such as a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Formatting, lints, dependencies, spelling, the template
    Check,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
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
        Command::Demo { place, port, stay } => {
            let options = Options {
                data_dir: place.data_dir,
                port,
                ..Options::default()
            };
            return Box::pin(demo::demo(&options, stay)).await;
        }
        Command::Setup => Tools::set_up(&Place::new(None)?).await.map(drop)?,
        Command::Up {
            place,
            port,
            fresh,
            profile,
        } => {
            let options = Options {
                data_dir: place.data_dir,
                port,
                fresh,
                profile,
                ..Options::default()
            };
            up::up(&options).await?;
        }
        Command::Down { place } => up::down(&place.place()?).await?,
        Command::Deploy {
            function,
            place,
            profile,
        } => {
            let place = place.place()?;
            let function = build::function(&place.root, &function)?;
            let endpoints = stack::endpoints::Endpoints::of_running(&place)?;
            let tools = Tools::set_up(&place).await?;
            let aws = stack::aws::Aws::local(tools.clone(), endpoints.aws_endpoint);
            let builder = Builder::new(place.clone(), tools, profile);
            stack::running::redeploy(&place, &aws, &builder, &function).await?;
        }
        Command::Test { arguments } => return test::test(&Options::throwaway("test")?, &arguments).await,
        Command::Check => checks::check(&Place::new(None)?).await?,
    }
    Ok(true)
}

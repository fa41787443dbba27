//! The command line: one file a command. Commands that talk to an exchange do it through
//! [`crate::client`] alone.

mod demo;
mod failure;
mod identity;
mod lookup;
mod output;
mod pki;
mod serve;
mod stop;
mod submit;
mod subscribe;
mod whoami;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use self::failure::{Done, Failure};

/// The exchange on which platforms tip one another off.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 bad usage or unreadable input, 3 exchange \
                        unreachable, 4 denied, 5 done in part (some items rejected)."
)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command has.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Every command")]
struct Global {
    /// The exchange's address
    #[arg(long, global = true, value_name = "URL", env = "TIPOFF_SERVER")]
    #[arg(default_value = "https://localhost:7443")]
    server: String,
    /// The folder with your ca.pem, cert.pem and key.pem
    #[arg(long, global = true, value_name = "DIR", env = "TIPOFF_IDENTITY")]
    identity: Option<PathBuf>,
    /// One JSON object a line on stdout, for scripts
    #[arg(long, global = true)]
    json: bool,
    /// Say more on stderr; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The story of a report, for real: an exchange, three platforms and a liaison on this machine
    Demo(demo::Demo),
    /// Run an exchange
    Serve(serve::Serve),
    /// The built-in certificate authority
    #[command(subcommand)]
    Pki(pki::Pki),
    /// Who the exchange takes you for
    Whoami,
    /// Read a report in any known format, and share it
    Submit(submit::Submit),
    /// Follow what is shared with you
    Subscribe(subscribe::Subscribe),
    /// Ask whether values are known
    Lookup(lookup::Lookup),
}

/// Runs the command of this process's arguments.
pub fn run() -> ExitCode {
    let Arguments { global, command } = Arguments::parse();
    start_log(global.verbose, matches!(command, Command::Serve(_)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::failed(format!("cannot start: {error}")).report(),
    };
    let done = runtime.block_on(async {
        match command {
            Command::Demo(demo) => demo.run(&global).await,
            Command::Serve(serve) => serve.run().await,
            Command::Pki(pki) => pki.run(&global),
            Command::Whoami => whoami::run(&global).await,
            Command::Submit(submit) => submit.run(&global).await,
            Command::Subscribe(subscribe) => subscribe.run(&global).await,
            Command::Lookup(lookup) => lookup.run(&global).await,
        }
    });
    // Whatever still waits for input must not keep a finished command.
    runtime.shutdown_background();
    match done {
        Ok(Done::Whole) => ExitCode::SUCCESS,
        Ok(Done::InPart) => ExitCode::from(5),
        Err(failure) => failure.with_server(&global.server).report(),
    }
}

/// Log lines go to stderr: a server's from `info` on, a command's only when something is wrong.
/// `TIPOFF_LOG` says otherwise, in the words of `tracing_subscriber`'s filters.
fn start_log(verbose: u8, serves: bool) {
    let level = match (verbose, serves) {
        (0, false) => "warn",
        (0, true) | (1, false) => "info",
        (1, true) | (2, _) => "debug",
        _ => "trace",
    };
    let default = format!("error,tipoff={level}");
    let filter = EnvFilter::try_from_env("TIPOFF_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
}

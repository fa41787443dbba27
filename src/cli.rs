//! The command line, one file per command. Commands that talk to an exchange use only
//! [`crate::client`].

mod audience;
mod audit;
mod campaign;
mod completions;
mod demo;
mod enforcement;
mod examples;
mod export;
mod failure;
mod feedback;
mod fields;
mod filter;
mod global;
mod group;
mod health;
mod hold;
mod identity;
mod ids;
mod journal;
mod lookup;
mod manual;
mod numbers;
mod output;
mod pager;
mod partner;
mod pki;
mod platform;
mod profile;
mod pull;
mod purpose;
mod release;
mod render;
mod request;
mod serve;
mod show;
mod shutdown;
mod sighting;
mod submit;
mod subscribe;
mod subscription;
mod table;
mod text;
mod tip;
mod top;
mod values;
mod whoami;
mod withdraw;

use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use nix::sys::stat::{Mode, umask};
use tracing_subscriber::EnvFilter;

use self::failure::{Completion, Failure, Outcome};
use self::fields::Flags;
use self::global::{Global, GlobalFlags};
use self::pager::Pager;
use crate::COMMIT;
use crate::server::raise_limit;

/// What `--version` prints after the name.
static VERSION: LazyLock<String> = LazyLock::new(|| version(COMMIT));

/// The exchange on which platforms tip one another off.
#[derive(Debug, Parser)]
#[command(version = VERSION.as_str(), about, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 bad usage or unreadable input, 3 exchange \
                        unreachable, 4 denied, 5 done in part (some items rejected).\n\n\
                  Environment: TIPOFF_SERVER, TIPOFF_IDENTITY, TIPOFF_TIMEOUT, TIPOFF_EXCHANGE and \
                  TIPOFF_PURPOSE stand for the flags of these names. XDG_CONFIG_HOME is the folder of \
                  tipoff/config.toml, by default ~/.config. TIPOFF_NATS_SERVER stands for demo --nats-server. TIPOFF_PAGER or PAGER is the pager. NO_COLOR turns colours off. \
                  TIPOFF_LOG filters the log."
)]
struct Arguments {
    #[command(flatten)]
    global: GlobalFlags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a demo: an exchange, three platforms and a liaison on this machine
    Demo(demo::Demo),
    /// Run an exchange
    Serve(serve::Serve),
    /// Watch a running node: rates, latencies, lags, disk, what expires
    Top(top::Top),
    /// Ask a node on this machine whether it is ready, or whether it runs: exit code 0 if so, 1 if not
    Health(health::Health),
    /// Print the completions for a shell
    Completions(completions::Completions),
    /// Write the manual pages, one for each command
    Manual(manual::Manual),
    /// Inspect or migrate the journal of a stopped node
    #[command(subcommand)]
    Journal(journal::Journal),
    /// Manage the built-in certificate authority
    #[command(subcommand)]
    Pki(pki::Pki),
    /// Show how the exchange identifies you
    Whoami,
    /// Read a report in any known format and share it
    Submit(submit::Submit),
    /// Withdraw your assessments
    Withdraw(withdraw::Withdraw),
    /// Release your objects to liaisons, or retract a release
    Release(release::Release),
    /// Keep copies of your assessments (legal holds)
    #[command(subcommand)]
    Hold(hold::Hold),
    /// Follow what is shared with you
    Subscribe(subscribe::Subscribe),
    /// List and delete your durable subscriptions
    #[command(subcommand)]
    Subscription(subscription::Subscription),
    /// Fetch everything that is shared with you, then exit
    Pull(pull::Pull),
    /// Write what you may see now as STIX, MISP feed, ThreatExchange, CSV or list
    Export(export::Export),
    /// Look up values
    Lookup(lookup::Lookup),
    /// Show all that you may see of one value
    Show(show::Show),
    /// Report that you saw an indicator
    Sighting(sighting::Sighting),
    /// Give your opinion of an assessment
    Feedback(feedback::Feedback),
    /// Send tips and answer them
    #[command(subcommand)]
    Tip(tip::Tip),
    /// Create, list and show campaigns
    #[command(subcommand)]
    Campaign(campaign::Campaign),
    /// Report enforcements and add them up
    #[command(subcommand)]
    Enforcement(enforcement::Enforcement),
    /// Show who received what
    #[command(subcommand)]
    Audit(audit::Audit),
    /// List and manage partners
    #[command(subcommand)]
    Partner(partner::Partner),
    /// List and manage sharing groups
    #[command(subcommand)]
    Group(group::Group),
}

impl Command {
    /// Whether files are for this user only: those with shared objects, cursors and keys are. Some are written by
    /// libraries, so they get their mode by the umask.
    fn writes_private_files(&self) -> bool {
        match self {
            // The certificates beside its keys and the manual may be read by everybody.
            Command::Pki(_) | Command::Manual(_) => false,
            // Its files are for other tools. What may not be exported is in a file of mode 0600.
            Command::Export(export) => export.writes_private_files(),
            _ => true,
        }
    }

    /// Whether it is run beside an exchange or without one: then the exchanges that the user has named do not matter.
    fn is_local(&self) -> bool {
        matches!(
            self,
            Command::Demo(_)
                | Command::Serve(_)
                | Command::Top(_)
                | Command::Health(_)
                | Command::Completions(_)
                | Command::Manual(_)
                | Command::Journal(_)
        )
    }

    /// Whether its whole output is read by a person who asked for it, so that a pager helps.
    fn suits_pager(&self) -> bool {
        matches!(
            self,
            Command::Lookup(_)
                | Command::Show(_)
                | Command::Audit(_)
                | Command::Campaign(campaign::Campaign::Show(_) | campaign::Campaign::List)
                | Command::Enforcement(enforcement::Enforcement::Report(_))
                | Command::Tip(tip::Tip::List(_) | tip::Tip::Show(_))
                | Command::Pki(pki::Pki::Show { .. })
                | Command::Partner(partner::Partner::List)
                | Command::Group(group::Group::List)
                | Command::Hold(hold::Hold::List { .. })
                | Command::Subscription(subscription::Subscription::List)
        )
    }

    async fn run(self, global: &Global) -> Outcome {
        match self {
            Command::Demo(demo) => demo.run(global).await,
            Command::Serve(serve) => serve.run().await,
            Command::Top(top) => top.run(global).await,
            Command::Health(health) => health.run(global).await,
            Command::Completions(completions) => completions.run(),
            Command::Manual(manual) => manual.run(),
            Command::Journal(journal) => journal.run(global),
            Command::Pki(pki) => pki.run(global).await,
            Command::Whoami => whoami::run(global).await,
            Command::Submit(submit) => submit.run(global).await,
            Command::Withdraw(withdraw) => withdraw.run(global).await,
            Command::Release(release) => release.run(global).await,
            Command::Hold(hold) => hold.run(global).await,
            Command::Subscribe(subscribe) => subscribe.run(global).await,
            Command::Subscription(subscription) => subscription.run(global).await,
            Command::Pull(pull) => pull.run(global).await,
            Command::Export(export) => export.run(global).await,
            Command::Lookup(lookup) => lookup.run(global).await,
            Command::Show(show) => show.run(global).await,
            Command::Sighting(sighting) => sighting.run(global).await,
            Command::Feedback(feedback) => feedback.run(global).await,
            Command::Tip(tip) => tip.run(global).await,
            Command::Campaign(campaign) => campaign.run(global).await,
            Command::Enforcement(enforcement) => enforcement.run(global).await,
            Command::Audit(audit) => audit.run(global).await,
            Command::Partner(partner) => partner.run(global).await,
            Command::Group(group) => group.run(global).await,
        }
    }
}

/// The version, and the commit if it is known: `0.1.0 (abc1234)`.
fn version(commit: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    match commit {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    }
}

/// The commands with their flags and help.
pub fn command() -> clap::Command {
    numbers::accept_negative(examples::add(Arguments::command(), "tipoff"))
}

/// Runs the command that the arguments of this process name.
pub fn run() -> ExitCode {
    let program = command();
    let matches = program.clone().get_matches();
    let used = Flags::of(&program, &matches);
    let parsed = Arguments::from_arg_matches(&matches);
    let Arguments { global: flags, command } = parsed.unwrap_or_else(|error| error.exit());
    output::configure(flags.color, flags.quiet);
    start_log(&flags, matches!(command, Command::Serve(_)));
    if command.writes_private_files() {
        umask(Mode::S_IRWXG | Mode::S_IRWXO);
    }
    // A file journal keeps one file open per 64 MB.
    if matches!(command, Command::Serve(_) | Command::Journal(_)) {
        raise_limit();
    }
    let is_paged = !flags.json && !flags.no_pager && command.suits_pager();
    let global = match Global::new(flags, !command.is_local()) {
        Ok(global) => global,
        Err(failure) => return failure.report(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Failure::failed(format!("cannot start the runtime: {error}")).report();
        }
    };
    let outcome = runtime.block_on(async {
        if is_paged { run_paged(command, &global).await } else { command.run(&global).await }
    });
    // Do not wait for tasks that still block on input.
    runtime.shutdown_background();
    match outcome {
        Ok(Completion::Whole) => ExitCode::SUCCESS,
        Ok(Completion::InPart) => ExitCode::from(5),
        Err(failure) => failure.with_flags(&used).with_server(&global.server()).report(),
    }
}

/// Runs a command whose output goes to a pager, and waits until the user leaves it.
async fn run_paged(command: Command, global: &Global) -> Outcome {
    let Some(pager) = Pager::start() else { return command.run(global).await };
    // A Ctrl-C ends the command. The pager gets it too, and must not be left alone with the terminal.
    let outcome = tokio::select! {
        outcome = command.run(global) => outcome,
        _ = tokio::signal::ctrl_c() => Err(Failure::failed("interrupted")),
    };
    pager.finish();
    outcome
}

/// Starts logging to stderr. A server logs from `info`, other commands only warnings. `TIPOFF_LOG`
/// overrides this with a `tracing_subscriber` filter.
fn start_log(flags: &GlobalFlags, is_server: bool) {
    let verbose = flags.verbose;
    let level = match (verbose, is_server) {
        (0, false) if flags.quiet => "error",
        (0, false) => "warn",
        (0, true) | (1, false) => "info",
        (1, true) | (2, _) => "debug",
        _ => "trace",
    };
    let default = format!("error,tipoff={level}");
    let filter = EnvFilter::try_from_env("TIPOFF_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(output::log_color());
    if is_server || verbose > 0 {
        log.init();
    } else {
        // A person reads it at once.
        log.without_time().with_target(false).init();
    }
}

#[cfg(test)]
mod tests;

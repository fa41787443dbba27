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
mod filter;
mod group;
mod hold;
mod identity;
mod journal;
mod lookup;
mod manual;
mod output;
mod partner;
mod pki;
mod platform;
mod pull;
mod purpose;
mod release;
mod render;
mod request;
mod serve;
mod shutdown;
mod sighting;
mod submit;
mod subscribe;
mod subscription;
mod text;
mod tip;
mod values;
mod whoami;
mod withdraw;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use nix::sys::stat::{Mode, umask};
use tracing_subscriber::EnvFilter;

use self::failure::{Completion, Failure};
use crate::server::raise_limit;

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
    /// Address of the exchange
    #[arg(long, global = true, value_name = "URL", env = "TIPOFF_SERVER")]
    #[arg(default_value = "https://localhost:7443")]
    server: String,
    /// Folder with your ca.pem, cert.pem and key.pem
    #[arg(long, global = true, value_name = "DIR", env = "TIPOFF_IDENTITY")]
    identity: Option<PathBuf>,
    /// Print one JSON object per line on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Log more to stderr; repeat for more detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a demo: an exchange, three platforms and a liaison on this machine
    Demo(demo::Demo),
    /// Run an exchange
    Serve(serve::Serve),
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
}

/// The commands with their flags and help.
pub fn command() -> clap::Command {
    examples::add(Arguments::command(), "tipoff")
}

/// Runs the command that the arguments of this process name.
pub fn run() -> ExitCode {
    let parsed = Arguments::from_arg_matches(&command().get_matches());
    let Arguments { global, command } = parsed.unwrap_or_else(|error| error.exit());
    start_log(global.verbose, matches!(command, Command::Serve(_)));
    if command.writes_private_files() {
        umask(Mode::S_IRWXG | Mode::S_IRWXO);
    }
    // A file journal keeps one file open per 64 MB.
    if matches!(command, Command::Serve(_) | Command::Journal(_)) {
        raise_limit();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Failure::failed(format!("cannot start the runtime: {error}")).report();
        }
    };
    let outcome = runtime.block_on(async {
        match command {
            Command::Demo(demo) => demo.run(&global).await,
            Command::Serve(serve) => serve.run().await,
            Command::Completions(completions) => completions.run(),
            Command::Manual(manual) => manual.run(),
            Command::Journal(journal) => journal.run(&global),
            Command::Pki(pki) => pki.run(&global).await,
            Command::Whoami => whoami::run(&global).await,
            Command::Submit(submit) => submit.run(&global).await,
            Command::Withdraw(withdraw) => withdraw.run(&global).await,
            Command::Release(release) => release.run(&global).await,
            Command::Hold(hold) => hold.run(&global).await,
            Command::Subscribe(subscribe) => subscribe.run(&global).await,
            Command::Subscription(subscription) => subscription.run(&global).await,
            Command::Pull(pull) => pull.run(&global).await,
            Command::Export(export) => export.run(&global).await,
            Command::Lookup(lookup) => lookup.run(&global).await,
            Command::Sighting(sighting) => sighting.run(&global).await,
            Command::Feedback(feedback) => feedback.run(&global).await,
            Command::Tip(tip) => tip.run(&global).await,
            Command::Campaign(campaign) => campaign.run(&global).await,
            Command::Enforcement(enforcement) => enforcement.run(&global).await,
            Command::Audit(audit) => audit.run(&global).await,
            Command::Partner(partner) => partner.run(&global).await,
            Command::Group(group) => group.run(&global).await,
        }
    });
    // Do not wait for tasks that still block on input.
    runtime.shutdown_background();
    match outcome {
        Ok(Completion::Whole) => ExitCode::SUCCESS,
        Ok(Completion::InPart) => ExitCode::from(5),
        Err(failure) => failure.with_server(&global.server).report(),
    }
}

/// Starts logging to stderr. A server logs from `info`, other commands only warnings. `TIPOFF_LOG`
/// overrides this with a `tracing_subscriber` filter.
fn start_log(verbose: u8, is_server: bool) {
    let level = match (verbose, is_server) {
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
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()) && !output::no_color());
    if is_server || verbose > 0 {
        log.init();
    } else {
        // A person reads it at once.
        log.without_time().with_target(false).init();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_and_their_flags_do_not_contradict_one_another() {
        command().debug_assert();
    }

    #[test]
    fn flags_that_exclude_one_another_are_bad_usage() {
        for wrong in [
            "withdraw",
            "withdraw a.example --submission s",
            "withdraw --submission s --group core",
            "withdraw a.example --everyone --group core",
            "withdraw a.example --everyone --public",
            "submit f --replaces-everyone --replaces-partner birdsite",
            "subscribe --name a --state b",
            "sighting a.example --count 0",
            "sighting a.example --first-seen soon",
            "feedback 17 --opinion agree",
            "feedback 17.0",
            "feedback 17.0 --opinion maybe",
            "partner put birdsite --role king",
            "partner suspend birdsite --compromised-since soon",
            "group put core --member birdsite --add watcher",
            "group put core --history some",
            "group put closed --restricted",
            "group confirm closed",
            "pull --limit 0",
            "campaign put",
            "campaign put --name a --confidence 101",
            "campaign put 1 --name a --again",
            "campaign show 1 --graph svg",
            "campaign show 1 --graph dot --timeline",
            "enforcement put",
            "enforcement put --count pages",
            "enforcement put --count 1_pages --method luck",
            "enforcement report --from soon",
            "pull --format xls",
            "export",
            "export --format jsonl",
            "export --format csv --purpose warrant",
            "audit deliveries 0",
            "subscription delete",
            "release a.example --basis b",
            "release a.example --to cyber-unit",
            "release --to cyber-unit --basis b",
            "release a.example --submission s --to cyber-unit --basis b",
            "release a.example --to cyber-unit --retract --basis b",
            "release --campaign c --group core --to cyber-unit --basis b",
            "hold place a.example",
            "hold place --reason r",
            "hold lift",
            "pull --purpose warrant",
            "pull --purpose-until 2027-01-01",
            "partner put cyber-unit --purpose order",
            "submit f --release-to cyber-unit",
            "submit f --release-basis b",
            "tip send text",
            "tip send --to facegraph",
            "tip send text --to facegraph --urgency soon",
            "tip send text --to facegraph --key k --again",
            "tip list --sent --received",
            "tip list --limit 0",
            "tip respond 0123 --move sent",
            "tip respond 0123 --to facegraph --to-all",
        ] {
            let arguments = ["tipoff"].into_iter().chain(wrong.split(' '));
            assert!(Arguments::try_parse_from(arguments).is_err(), "{wrong}");
        }
    }

    #[test]
    fn flags_that_fit_together_are_accepted() {
        for right in [
            "withdraw --submission s",
            "withdraw a.example - --group core --to tubeworks",
            "submit f --replaces-group core --replaces-partner birdsite",
            "feedback 17.0 --opinion strongly-agree",
            "group put core --add birdsite --remove watcher",
            "group put closed --restricted --terms t",
            "release a.example --to cyber-unit --to other-unit --basis b --group core",
            "release --submission s --to cyber-unit --retract",
            "pull --purpose warrant:W-17:GB --purpose-until 2027-01-01",
            "submit f --release-to cyber-unit --release-basis b --release-until 2027-01-01",
            "export --format list --kind domain --group core --out block.txt --include-strict",
            "tip send - --to facegraph --to tubeworks --urgency imminent-harm",
            "tip send --narrative-file n --to facegraph --indicator a.example --indicator b.example",
            "tip list --sent --state sent --state no-violation --overdue",
            "tip respond 0123 --move no_violation --message m",
        ] {
            let arguments = ["tipoff"].into_iter().chain(right.split(' '));
            assert!(Arguments::try_parse_from(arguments).is_ok(), "{right}");
        }
    }
}

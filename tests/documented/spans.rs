//! The commands in sentences and tables exist, with their flags.

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::console::documents;

/// What is wrong with a command that a text names.
fn fault(code: &str) -> Option<String> {
    let root = tipoff::cli::command();
    let mut command: &Command = &root;
    let words = shlex::split(code).unwrap_or_default();
    let mut at = 1;
    while let Some(word) = words.get(at) {
        if !command.has_subcommands() || word.starts_with('-') {
            break;
        }
        match word.split('|').map(|name| command.find_subcommand(name)).collect::<Option<Vec<_>>>()
        {
            // `tipoff audit accesses|deliveries`
            Some(found) if found.len() > 1 => return None,
            Some(found) => command = found[0],
            None => return Some(format!("{} has no command {word}", command.get_name())),
        }
        at += 1;
    }
    let flags = words[at..].iter().filter(|word| word.starts_with("--"));
    for flag in flags {
        let name = flag[2..].split('=').next().unwrap();
        let mut known =
            command.get_arguments().chain(root.get_arguments().filter(|each| each.is_global_set()));
        let is_built_in = ["help", "version"].contains(&name);
        if !is_built_in && !known.any(|argument| argument.get_long() == Some(name)) {
            return Some(format!("{} has no flag --{name}", command.get_name()));
        }
    }
    value_fault(&words)
}

/// A value that the parser refuses, such as a role that does not exist. Placeholders such as `ID` or `…` may stand
/// for a value, and required arguments may be missing.
fn value_fault(words: &[String]) -> Option<String> {
    let error = tipoff::cli::command().try_get_matches_from(words).err()?;
    let is_value = matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation);
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else {
        return None;
    };
    let is_placeholder = !value.chars().any(char::is_lowercase);
    (is_value && !is_placeholder).then(|| error.to_string())
}

#[test]
fn the_commands_in_sentences_and_tables_exist_with_their_flags() {
    let mut faults = Vec::new();
    let mut checked = 0;
    for document in documents() {
        let code = document.inline_code();
        for code in code.iter().filter(|code| code.starts_with("tipoff ")) {
            checked += 1;
            faults.extend(fault(code).map(|fault| format!("{}: `{code}`: {fault}", document.name)));
        }
    }
    println!("{checked} commands in sentences and tables");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(checked > 30, "{checked}");
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    for wrong in [
        "tipoff partner remove ID",
        "tipoff partner put ID --platforms x",
        "tipoff partner put ID --role king",
        "tipoff journal migrate --to=disk",
        "tipoff audit accesses|all",
    ] {
        assert!(fault(wrong).is_some(), "{wrong}");
    }
    for right in [
        "tipoff tip",
        "tipoff pki",
        "tipoff partner put ID --role member --platform x --json",
        "tipoff journal migrate --to sled",
        "tipoff audit accesses|deliveries",
        "tipoff --version",
    ] {
        assert_eq!(fault(right), None, "{right}");
    }
}

//! Numbers on the command line.

use std::fmt::Display;
use std::num::{IntErrorKind, ParseIntError};
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::{Arg, Command};

/// Reads a number in a range. The error names the range, also for what is no number.
pub fn within<T>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    let (least, most) = range.into_inner();
    move |text| {
        let read = text.parse().ok().filter(|number| least <= *number && *number <= most);
        read.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
    }
}

/// Reads a number that is not less than `least`.
pub fn at_least<T>(least: T) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr<Err = ParseIntError> + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| match text.parse() {
        Ok(number) if least <= number => Ok(number),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err("is too large".into()),
        _ => Err(format!("must be a whole number, {least} or more")),
    }
}

/// Takes `-1` as a value of a flag, to be refused by it, and not as an unknown flag.
pub fn accept_negative(command: Command) -> Command {
    command
        .mut_args(|arg| if takes_value(&arg) { arg.allow_negative_numbers(true) } else { arg })
        .mut_subcommands(accept_negative)
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;

    use clap::error::ErrorKind;

    use super::*;
    use crate::cli::command;

    /// Whether the value of a flag is a number.
    fn is_number(arg: &Arg) -> bool {
        let id = arg.get_value_parser().type_id();
        let numbers = [
            TypeId::of::<u8>(),
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<usize>(),
            TypeId::of::<i32>(),
            TypeId::of::<i64>(),
            TypeId::of::<f64>(),
        ];
        takes_value(arg) && numbers.iter().any(|number| id == *number)
    }

    /// The flags with a number of a command and those below it, each with the words that lead to it.
    fn number_flags(command: &Command, words: &[String], found: &mut Vec<(Vec<String>, String)>) {
        let words = [words, &[command.get_name().to_owned()]].concat();
        let flags = command.get_arguments().filter(|arg| is_number(arg));
        let flags = flags.map(|arg| format!("--{}", arg.get_long().unwrap()));
        found.extend(flags.map(|flag| (words.clone(), flag)));
        for below in command.get_subcommands() {
            number_flags(below, &words, found);
        }
    }

    #[test]
    fn a_negative_number_is_a_bad_value_of_its_flag_and_the_error_has_the_range() {
        let mut flags = Vec::new();
        number_flags(&command(), &[], &mut flags);
        assert!(flags.len() > 10, "{flags:?}");
        for (words, flag) in flags {
            for wrong in ["-1", "1.5", "many", "99999999999999999999999"] {
                let arguments = words.iter().map(String::as_str).chain([flag.as_str(), wrong]);
                let error = command().try_get_matches_from(arguments).unwrap_err();
                let text = error.to_string();
                assert_eq!(
                    error.kind(),
                    ErrorKind::ValueValidation,
                    "{words:?} {flag} {wrong}: {text}"
                );
                let has_range = text.contains("must be a whole number");
                let is_too_large = wrong.len() > 20 && text.contains("is too large");
                let is_clear = text.contains(&flag) && (has_range || is_too_large);
                assert!(is_clear, "{words:?} {flag} {wrong}: {text}");
            }
        }
    }

    #[test]
    fn a_negative_number_is_a_value_for_every_flag_that_takes_one() {
        for words in ["tipoff enforcement put --count -1", "tipoff audit deliveries -1"] {
            let error = command().try_get_matches_from(words.split(' ')).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{words}: {error}");
        }
    }
}

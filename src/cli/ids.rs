//! Ids that may be shortened.

use uuid::Uuid;

use super::failure::Failure;
use crate::client::ClientError;

/// Minimum length of the beginning of an id in a command.
const MIN_PREFIX_CHARS: usize = 4;

/// The id that a user gave, or the one of `ids` that begins with it. `noun` is what it is the id of.
pub async fn resolve(
    noun: &str,
    given: &str,
    ids: impl Future<Output = Result<Vec<String>, ClientError>>,
) -> Result<String, Failure> {
    if Uuid::parse_str(given).is_ok() {
        return Ok(given.to_owned());
    }
    let prefix = given.to_ascii_lowercase();
    let is_prefix = prefix.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if prefix.len() < MIN_PREFIX_CHARS || !is_prefix {
        return Err(Failure::usage(format!(
            "{given:?} is not a {noun} id, nor the first {MIN_PREFIX_CHARS} or more characters of one"
        )));
    }
    let mut matching = ids.await?;
    matching.retain(|id| id.starts_with(&prefix));
    matching.sort_unstable();
    matching.dedup();
    match matching.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::usage(format!("you have no {noun} whose id begins with {given}"))),
        many => Err(Failure::usage(format!(
            "{} of your {noun}s begin with {given}: pass more characters",
            many.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_id_is_found_by_its_beginning_if_only_one_begins_so() {
        let all = ["01234567-89ab-4cde-8f01-23456789abcd", "01234567-99ab-4cde-8f01-23456789abcd"];
        let resolve = async |given: &str| {
            let ids = all.iter().map(ToString::to_string).collect();
            resolve("tip", given, async { Ok(ids) }).await.map_err(|failure| format!("{failure:?}"))
        };
        assert_eq!(resolve("01234567-8").await.as_deref(), Ok(all[0]));
        assert_eq!(resolve(all[1]).await.as_deref(), Ok(all[1]));
        for (given, reason) in [
            ("01234567", "2 of your tips begin"),
            ("012", "nor the first 4"),
            ("my network", "is not a tip id"),
            ("aaaaaaaa", "you have no tip"),
        ] {
            let error = resolve(given).await.unwrap_err();
            assert!(error.contains(reason), "{given}: {error}");
        }
    }
}

//! The ids of requests, derived from what is asked for.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The id of a request: the same for the same input and options, so that running a command again does
/// nothing twice; a new one where it is to be done anew.
pub fn id(digest: Sha256, again: bool) -> String {
    let digest = digest.finalize();
    let digest: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    if again { format!("cli-{digest}-{}", Uuid::now_v7()) } else { format!("cli-{digest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_has_the_same_id_unless_it_is_to_be_made_again() {
        let of = |text: &str, again| id(Sha256::new_with_prefix(text), again);
        assert_eq!(of("a", false), of("a", false));
        assert_ne!(of("a", false), of("b", false));
        assert_ne!(of("a", true), of("a", true));
        let fits = |id: &str| {
            id.len() <= 128 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        assert!(fits(&of("a", false)) && fits(&of("a", true)));
    }
}

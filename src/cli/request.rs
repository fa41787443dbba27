//! Request ids, derived from the content of a request.

use prost::Message;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::hex;

/// Derives a request id from a digest. The same input and options give the same id, so that running
/// a command again has no effect. With `again`, the id is new each time.
pub fn id(digest: Sha256, again: bool) -> String {
    let digest = digest.finalize();
    let digest = hex::encode(&digest[..16]);
    if again { format!("cli-{digest}-{}", Uuid::now_v7()) } else { format!("cli-{digest}") }
}

/// Like [`id`], from a request whose own id is still empty.
pub fn id_of(request: &impl Message, again: bool) -> String {
    id(Sha256::new_with_prefix(request.encode_to_vec()), again)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_has_the_same_id_unless_again_is_given() {
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

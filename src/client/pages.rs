//! What does not fit one call: listings that come in pages, and values that go in pages.

use prost::Message;

use super::ClientError;
use crate::wire::pb;

/// How much of a listing is asked for at once: the most that an exchange gives.
pub const PAGE_SIZE: u32 = 1_000;
/// The most values of one call.
const CALL_VALUES: usize = 1_000;
/// The most bytes of the values of one call: an exchange takes requests of 1 MB by default.
const CALL_BYTES: usize = 900 * 1024;

/// A whole listing. `page` asks for the page of a token, and gives what is on it and the next token.
pub async fn all_pages<T, F>(mut page: impl FnMut(String) -> F) -> Result<Vec<T>, ClientError>
where
    F: Future<Output = Result<(Vec<T>, String), ClientError>>,
{
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let (rows, next) = page(token).await?;
        all.extend(rows);
        if next.is_empty() {
            return Ok(all);
        }
        token = next;
    }
}

/// Cuts keys into calls, by count and by bytes.
pub fn in_calls(mut keys: &[pb::IndicatorKey]) -> impl Iterator<Item = &[pb::IndicatorKey]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = keys.iter().take(CALL_VALUES).take_while(|key| {
            bytes += key.encoded_len() + 8;
            bytes <= CALL_BYTES
        });
        let (page, rest) = keys.split_at(fitting.count().max(1).min(keys.len()));
        keys = rest;
        (!page.is_empty()).then_some(page)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_cut_by_count_and_by_bytes_in_order_and_none_is_left_out() {
        let key = |length| pb::IndicatorKey { value: "x".repeat(length), ..Default::default() };
        let sizes = |keys: &[pb::IndicatorKey]| in_calls(keys).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0usize; 0]);
        assert_eq!(sizes(&vec![key(9); 2_001]), [1_000, 1_000, 1]);
        assert_eq!(sizes(&vec![key(CALL_BYTES / 3); 4]), [2, 2]);
        assert_eq!(sizes(&[key(1), key(2 * CALL_BYTES), key(1)]), [1, 1, 1]);
    }

    #[tokio::test]
    async fn a_listing_is_asked_for_until_there_is_no_next_page() {
        let all = all_pages(|token| async move {
            Ok(match token.as_str() {
                "" => (vec![1, 2], "a".to_owned()),
                "a" => (vec![], "b".to_owned()),
                _ => (vec![3], String::new()),
            })
        });
        assert_eq!(all.await.unwrap(), [1, 2, 3]);
    }
}

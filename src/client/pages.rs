//! Paging: listings longer than one page, and requests with more values than one call takes.

use prost::Message;

use super::ClientError;
use crate::wire::pb;

/// Rows per page of a listing. The maximum that an exchange returns.
pub const PAGE_SIZE: u32 = 1_000;
/// Values per call. The maximum that an exchange accepts.
const MAX_CALL_VALUES: usize = 1_000;
/// Bytes of values per call. An exchange accepts requests of 1 MB by default.
const MAX_CALL_BYTES: usize = 900 * 1024;

/// Collects all pages of a listing. `fetch` requests the page of a token, and returns its rows and
/// the next token.
pub async fn all_pages<T, F>(mut fetch: impl FnMut(String) -> F) -> Result<Vec<T>, ClientError>
where
    F: Future<Output = Result<(Vec<T>, String), ClientError>>,
{
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let (rows, next) = fetch(token).await?;
        all.extend(rows);
        if next.is_empty() {
            return Ok(all);
        }
        token = next;
    }
}

/// Splits keys into batches of one call each, by count and by bytes.
pub fn batches(mut keys: &[pb::IndicatorKey]) -> impl Iterator<Item = &[pb::IndicatorKey]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = keys.iter().take(MAX_CALL_VALUES).take_while(|key| {
            bytes += key.encoded_len() + 8;
            bytes <= MAX_CALL_BYTES
        });
        let (batch, rest) = keys.split_at(fitting.count().max(1).min(keys.len()));
        keys = rest;
        (!batch.is_empty()).then_some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_split_by_count_and_by_bytes_in_order_and_none_is_left_out() {
        let key = |length| pb::IndicatorKey { value: "x".repeat(length), ..Default::default() };
        let sizes = |keys: &[pb::IndicatorKey]| batches(keys).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0usize; 0]);
        assert_eq!(sizes(&vec![key(9); 2_001]), [1_000, 1_000, 1]);
        assert_eq!(sizes(&vec![key(MAX_CALL_BYTES / 3); 4]), [2, 2]);
        assert_eq!(sizes(&[key(1), key(2 * MAX_CALL_BYTES), key(1)]), [1, 1, 1]);
    }

    #[tokio::test]
    async fn a_listing_is_requested_until_there_is_no_next_page() {
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

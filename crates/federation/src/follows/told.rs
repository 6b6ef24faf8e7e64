//! What goes along with a post for followers: whom of them its author's server counts at the server that gets it.

use super::digest::Digest;
use super::header::{Claim, NAME};
use super::{MOST, PATH, place};
use crate::Federation;
use crate::documents::PUBLIC;
use domain::deliveries::Activity;
use domain::ids::ActivityId;
use domain::{Result, follows};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// How long a count is good for the deliveries of one post, and how many counts are kept.
const FRESH: Duration = Duration::from_secs(30);
const KEPT: usize = 100;

/// By place. None: too many followers to be counted.
type Digests = Option<Arc<HashMap<String, Digest>>>;

/// One that is done or being done.
type Count = Arc<OnceCell<Digests>>;

/// Followers of those whose posts are on their way, counted once for all deliveries of each.
#[derive(Default)]
pub(crate) struct Counted(Mutex<HashMap<ActivityId, (Instant, Count)>>);

impl Counted {
    /// The count for this one, done or to be done: who comes meanwhile waits for it, and nobody for that of another.
    fn of(&self, id: ActivityId) -> Count {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, count)) = kept.get(&id)
            && at.elapsed() < FRESH
        {
            return count.clone();
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        let count = Count::default();
        kept.insert(id, (Instant::now(), count.clone()));
        count
    }
}

/// Headers to sign and send with `activity` to `inbox`.
pub(crate) async fn headers(
    federation: &Federation,
    activity: &Activity,
    inbox: &str,
) -> Result<Vec<(&'static str, String)>> {
    let (true, Some(place)) = (is_for_followers(activity), place(inbox)) else { return Ok(Vec::new()) };
    let Some(digests) = counted(federation, activity).await? else { return Ok(Vec::new()) };
    let claim = Claim {
        collection: format!("{}/followers", activity.actor),
        digest: digests.get(place).copied().unwrap_or_default(),
        url: format!("{}{PATH}", activity.actor),
    };
    Ok(vec![(NAME, claim.to_text())])
}

/// Told by the bytes, which are our own: in them a quotation mark is escaped wherever it stands in somebody's text. What is
/// named after who does it (emoji on posts) is no post.
fn is_for_followers(activity: &Activity) -> bool {
    let is_post = activity.uri.strip_prefix(activity.actor.as_str()).is_none_or(|rest| !rest.starts_with('#'));
    is_post && activity.body.contains(&format!("\"{}/followers\"", activity.actor)) && !activity.body.contains(PUBLIC)
}

async fn counted(federation: &Federation, activity: &Activity) -> Result<Digests> {
    let count = federation.counted.of(activity.id);
    count.get_or_try_init(|| count_of(federation, activity)).await.cloned()
}

async fn count_of(federation: &Federation, activity: &Activity) -> Result<Digests> {
    let conn = federation.db.read_long().await?;
    let uris = follows::remote::follower_uris(&conn, activity.account_id, (0, MOST + 1)).await?;
    drop(conn);
    let few = i64::try_from(uris.len()).is_ok_and(|n| n <= MOST);
    Ok(few.then(|| Arc::new(by_place(&uris))))
}

fn by_place(uris: &[String]) -> HashMap<String, Digest> {
    let mut digests = HashMap::<String, Digest>::new();
    for uri in uris {
        if let Some(place) = place(uri) {
            match digests.get_mut(place) {
                Some(digest) => digest.add(uri),
                None => drop(digests.insert(place.to_owned(), Digest::of([uri.as_str()]))),
            }
        }
    }
    digests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_followers_alone() {
        let activity = |body: &str| Activity {
            id: ActivityId(1),
            uri: String::new(),
            account_id: domain::ids::AccountId(1),
            actor: "https://a.example/users/1".into(),
            body: body.into(),
            created_at: domain::Time(0),
            kept_until: domain::Time(0),
            is_first: true,
            is_farewell: false,
        };
        let followers = "https://a.example/users/1/followers";
        for (body, wanted) in [
            (serde_json::json!({ "to": [followers] }), true),
            (serde_json::json!({ "to": ["https://b.example/users/2"], "cc": [followers] }), true),
            (serde_json::json!({ "to": [PUBLIC], "cc": [followers] }), false),
            (serde_json::json!({ "to": ["https://b.example/users/2"] }), false),
            (serde_json::json!({ "content": format!("\"{followers}\"") }), false),
        ] {
            assert_eq!(is_for_followers(&activity(&body.to_string())), wanted, "{body}");
        }
    }

    #[tokio::test]
    async fn one_count_for_one_post_and_nobody_waits_for_another() {
        let counted = Counted::default();
        let (first, same, other) = (counted.of(ActivityId(1)), counted.of(ActivityId(1)), counted.of(ActivityId(2)));
        assert!(Arc::ptr_eq(&first, &same));
        // The first is being counted and never done.
        let (held, counting) = (first.clone(), tokio::sync::oneshot::channel::<()>());
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let never = tokio::spawn(async move {
            held.get_or_init(|| async {
                begun.send(()).unwrap();
                counting.1.await.ok();
                None
            })
            .await;
        });
        has_begun.await.unwrap();
        assert!(other.get_or_init(async || None).await.is_none());
        assert!(!first.initialized());
        never.abort();
        for n in 0..3 * i64::try_from(KEPT).unwrap() {
            counted.of(ActivityId(n));
        }
        assert!(counted.0.lock().unwrap().len() <= KEPT);
    }

    #[test]
    fn each_place_has_its_own_digest() {
        let uris = ["https://a.example/1", "https://b.example/1", "https://a.example/2"].map(str::to_owned);
        let digests = by_place(&uris);
        assert_eq!(digests.len(), 2);
        assert_eq!(digests["https://a.example/"], Digest::of(["https://a.example/1", "https://a.example/2"]));
        assert_eq!(digests["https://b.example/"], Digest::of(["https://b.example/1"]));
    }
}

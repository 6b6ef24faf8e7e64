//! The conversation around a status: what it answers, and what answers it.

use super::{
    Status, store,
    visibility::{self, Place},
};
use crate::{
    Result,
    db::Conn,
    ids::{AccountId, StatusId},
};
use std::collections::HashMap;

/// How much of a conversation is shown. <https://docs.joinmastodon.org/methods/statuses/#context>
#[derive(Clone, Copy, Debug)]
struct Reach {
    ancestors: usize,
    descendants: usize,
    depth: usize,
}

const ANONYMOUS: Reach = Reach { ancestors: 40, descendants: 60, depth: 20 };
const SIGNED_IN: Reach = Reach { ancestors: 4096, descendants: 4096, depth: 4096 };

#[derive(Debug)]
pub struct Context {
    /// From the first of the conversation down to the parent.
    pub ancestors: Vec<Status>,
    /// Depth first, each after what it answers.
    pub descendants: Vec<Status>,
}

pub async fn context(conn: &Conn, viewer: Option<AccountId>, status: &Status) -> Result<Context> {
    let reach = if viewer.is_some() { SIGNED_IN } else { ANONYMOUS };
    let ancestors = ancestors(conn, status, reach).await?;
    let descendants = descendants(conn, status, reach).await?;
    let ancestors = visibility::filter(conn, viewer, ancestors, Place::Listed).await?.statuses;
    let mut seen = visibility::filter(conn, viewer, descendants, Place::Listed).await?.statuses;
    Ok(Context { ancestors, descendants: depth_first(status.id, &mut seen) })
}

async fn ancestors(conn: &Conn, status: &Status, reach: Reach) -> Result<Vec<Status>> {
    let mut up = Vec::new();
    let mut next = status.in_reply_to_id;
    while let Some(id) = next
        && up.len() < reach.ancestors
    {
        let Some(parent) = store::by_id(conn, id).await? else { break };
        next = parent.in_reply_to_id;
        up.push(parent);
    }
    up.reverse();
    Ok(up)
}

/// Level by level, so that a conversation costs as many queries as it is deep.
async fn descendants(conn: &Conn, status: &Status, reach: Reach) -> Result<Vec<Status>> {
    let mut found: Vec<Status> = Vec::new();
    let mut level = vec![status.id];
    for _ in 0..reach.depth {
        let left = reach.descendants.saturating_sub(found.len());
        if level.is_empty() || left == 0 {
            break;
        }
        let replies = store::replies_to(conn, &level, i64::try_from(left).unwrap_or(i64::MAX)).await?;
        level = replies.iter().map(|s| s.id).collect();
        found.extend(replies);
    }
    Ok(found)
}

/// Answers to what is not shown are left out with it. An author's own thread comes before other answers.
fn depth_first(root: StatusId, found: &mut Vec<Status>) -> Vec<Status> {
    let mut children: HashMap<StatusId, Vec<Status>> = HashMap::new();
    for status in found.drain(..) {
        if let Some(parent) = status.in_reply_to_id {
            children.entry(parent).or_default().push(status);
        }
    }
    for siblings in children.values_mut() {
        siblings.sort_by_key(|s| (s.in_reply_to_account_id != Some(s.account_id), s.id));
    }
    let mut out = Vec::new();
    let mut stack: Vec<Status> = children.remove(&root).unwrap_or_default();
    stack.reverse();
    while let Some(status) = stack.pop() {
        let mut below = children.remove(&status.id).unwrap_or_default();
        below.reverse();
        stack.extend(below);
        out.push(status);
    }
    out
}

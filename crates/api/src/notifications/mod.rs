//! Notifications: one by one, in groups, and what the policy holds back.
//! <https://docs.joinmastodon.org/methods/notifications/>

mod groups;
mod list;
mod policy;
mod requests;

use crate::{
    App,
    http::{ApiResult, Id, PageLimits, Paging},
};
use axum::{
    Router,
    routing::{get, post},
};
use domain::{
    db::Conn,
    ids::AccountId,
    markers,
    notifications::{Filter, Kind},
    page::Page,
};
use serde::{Deserialize, Serialize};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/notifications", get(list::list))
        .route("/api/v1/notifications/unread_count", get(list::unread_count))
        .route("/api/v1/notifications/clear", post(list::clear))
        .route("/api/v1/notifications/policy", get(policy::read_v1).patch(policy::update_v1).put(policy::update_v1))
        .route("/api/v1/notifications/requests", get(requests::list))
        .route("/api/v1/notifications/requests/accept", post(requests::accept_all))
        .route("/api/v1/notifications/requests/dismiss", post(requests::dismiss_all))
        .route("/api/v1/notifications/requests/merged", get(requests::merged))
        .route("/api/v1/notifications/requests/{id}", get(requests::one))
        .route("/api/v1/notifications/requests/{id}/accept", post(requests::accept))
        .route("/api/v1/notifications/requests/{id}/dismiss", post(requests::dismiss))
        .route("/api/v1/notifications/{id}", get(list::one))
        .route("/api/v1/notifications/{id}/dismiss", post(list::dismiss))
        .route("/api/v2/notifications", get(groups::list))
        .route("/api/v2/notifications/unread_count", get(groups::unread_count))
        .route("/api/v2/notifications/clear", post(list::clear))
        .route("/api/v2/notifications/policy", get(policy::read).patch(policy::update).put(policy::update))
        .route("/api/v2/notifications/{group_key}", get(groups::one))
        .route("/api/v2/notifications/{group_key}/accounts", get(groups::accounts))
        .route("/api/v2/notifications/{group_key}/dismiss", post(groups::dismiss))
}

/// What of notifications is wanted. Kinds are an open set: words this server does not know find nothing.
/// `supported_types` is about kinds that have a text for clients which do not know them: there are none here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    types: Vec<String>,
    exclude_types: Vec<String>,
    account_id: Id<AccountId>,
    include_filtered: bool,
    /// Groups only. Left out: all kinds that can gather.
    grouped_types: Option<Vec<String>>,
    /// Groups only.
    expand_accounts: Option<String>,
}

fn known(words: &[String]) -> Vec<Kind> {
    words.iter().filter_map(|word| Kind::parse(word)).collect()
}

impl Form {
    /// None: nothing can be found.
    fn filter(&self) -> ApiResult<Option<Filter>> {
        let filter = Filter {
            kinds: known(&self.types),
            except: known(&self.exclude_types),
            from: self.account_id.optional()?,
            include_filtered: self.include_filtered,
        };
        Ok((self.types.is_empty() || !filter.kinds.is_empty()).then_some(filter))
    }
}

#[derive(Serialize)]
struct Count {
    count: i64,
}

/// What its owner has not read, as clients have said: up to so many, and to a limit of ours.
async fn unread(conn: &Conn, owner: AccountId, paging: &Paging) -> ApiResult<Page> {
    let read = markers::list(conn, owner).await?;
    let last = read.iter().find(|m| m.timeline == "notifications").map_or(0, |m| m.last_read_id);
    Ok(Page { after: last, ..Page::newest(paging.page(PageLimits::UNREAD).limit) })
}

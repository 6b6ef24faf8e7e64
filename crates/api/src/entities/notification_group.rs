//! Notifications in groups, with the accounts and statuses that they share beside them.

use super::{Account, Iso, Status};
use crate::App;
use domain::{
    Result, accounts,
    db::Conn,
    ids::{AccountId, NotificationId, StatusId},
    notifications::{Kind, groups::Group},
    statuses::{
        self,
        visibility::{self, Place},
    },
};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// <https://docs.joinmastodon.org/methods/grouped_notifications/#GroupedNotificationsResults>
#[derive(Debug, Serialize)]
pub struct GroupedNotificationsResults {
    pub accounts: Vec<Account>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_accounts: Option<Vec<PartialAccountWithAvatar>>,
    pub statuses: Vec<Status>,
    pub notification_groups: Vec<NotificationGroup>,
}

/// <https://docs.joinmastodon.org/methods/grouped_notifications/#PartialAccountWithAvatar>
#[derive(Debug, Serialize)]
pub struct PartialAccountWithAvatar {
    pub id: AccountId,
    pub acct: String,
    pub url: String,
    pub avatar: String,
    pub avatar_static: String,
    pub avatar_description: String,
    pub locked: bool,
    pub bot: bool,
}

impl From<Account> for PartialAccountWithAvatar {
    fn from(a: Account) -> Self {
        Self {
            id: a.id,
            acct: a.acct,
            url: a.url,
            avatar: a.avatar,
            avatar_static: a.avatar_static,
            avatar_description: a.avatar_description,
            locked: a.locked,
            bot: a.bot,
        }
    }
}

/// <https://docs.joinmastodon.org/methods/grouped_notifications/#NotificationGroup>
#[derive(Debug, Serialize)]
pub struct NotificationGroup {
    pub group_key: String,
    pub notifications_count: i64,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub most_recent_notification_id: NotificationId,
    #[serde(flatten)]
    pub page: Option<PagePart>,
    pub sample_account_ids: Vec<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_id: Option<StatusId>,
}

/// What of a group is on the page.
#[derive(Debug, Serialize)]
pub struct PagePart {
    pub page_min_id: NotificationId,
    pub page_max_id: NotificationId,
    pub latest_page_notification_at: Iso,
}

/// Whether groups are a page of a list, or one that was asked for whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Page,
    Whole,
}

/// How much is shown of who is not the latest of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expand {
    Full,
    PartialAvatars,
}

/// Groups as their owner sees them; one about a status that is no longer theirs to see is left out.
pub async fn notification_groups(
    app: &App,
    conn: &Conn,
    (mut groups, owner): (Vec<Group>, AccountId),
    (span, expand): (Span, Expand),
) -> Result<GroupedNotificationsResults> {
    let about = statuses::store::by_ids(conn, groups.iter().filter_map(|g| g.newest.status_id)).await?;
    let shown = visibility::filter(conn, Some(owner), about, Place::Asked).await?;
    let mut made: HashMap<StatusId, Status> =
        super::statuses(app, conn, shown, Some(owner)).await?.into_iter().map(|s| (s.id, s)).collect();
    groups.retain(|g| g.newest.status_id.is_none_or(|id| made.contains_key(&id)));
    let (accounts, partial_accounts) = people(app, conn, &groups, expand).await?;
    Ok(GroupedNotificationsResults {
        accounts,
        partial_accounts,
        // Several groups may be about one status: it is there once, where it is first named.
        statuses: groups.iter().filter_map(|g| made.remove(&g.newest.status_id?)).collect(),
        notification_groups: groups.into_iter().map(|g| group(g, span)).collect(),
    })
}

/// Those in the samples, each once; with [`Expand::PartialAvatars`] only the latest of each group is whole.
async fn people(
    app: &App,
    conn: &Conn,
    groups: &[Group],
    expand: Expand,
) -> Result<(Vec<Account>, Option<Vec<PartialAccountWithAvatar>>)> {
    let rows = accounts::store::by_ids(conn, groups.iter().flat_map(|g| g.sample.iter().copied())).await?;
    let made = super::accounts(app, conn, rows).await?;
    let mut made: HashMap<AccountId, Account> = made.into_iter().map(|a| (a.id, a)).collect();
    let latest: HashSet<AccountId> = groups.iter().filter_map(|g| g.sample.first().copied()).collect();
    let (mut whole, mut partial) = (Vec::new(), Vec::new());
    for id in groups.iter().flat_map(|g| &g.sample) {
        let Some(account) = made.remove(id) else { continue };
        match expand {
            Expand::PartialAvatars if !latest.contains(id) => partial.push(account.into()),
            Expand::Full | Expand::PartialAvatars => whole.push(account),
        }
    }
    Ok((whole, (expand == Expand::PartialAvatars).then_some(partial)))
}

fn group(group: Group, span: Span) -> NotificationGroup {
    let newest = group.newest;
    let page = PagePart {
        page_min_id: group.page_min,
        page_max_id: newest.id,
        latest_page_notification_at: Iso(newest.created_at),
    };
    NotificationGroup {
        group_key: group.key,
        notifications_count: group.count,
        kind: newest.kind,
        most_recent_notification_id: newest.id,
        page: (span == Span::Page).then_some(page),
        sample_account_ids: group.sample,
        status_id: newest.status_id,
    }
}

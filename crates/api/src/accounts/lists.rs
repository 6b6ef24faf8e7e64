//! Lists of people around an account, lists that it is in, and tags on its profile. Pages go by the rows' own ids, which only the Link header carries.

use crate::{
    App,
    auth::{User, Viewer, scope},
    entities::{self, Account, FamiliarFollowers, FeaturedTag, List},
    http::{ApiResult, Id, Json, Links, PageLimits, Paged, Paging, Params, Path},
};
use axum::extract::State;
use domain::{
    accounts::{self, Listed},
    db::Conn,
    follows,
    ids::AccountId,
    lists, relationships, tags,
};
use serde::Deserialize;
use std::collections::HashMap;

/// A page of accounts, with its links.
pub(crate) async fn listed(
    app: &App,
    conn: &Conn,
    paging: &Paging,
    rows: Vec<Listed>,
) -> ApiResult<Paged<Vec<Account>>> {
    let ends = paging.page(PageLimits::ACCOUNTS).shown(&rows, |line| line.cursor);
    let made = entities::accounts(app, conn, rows.into_iter().map(|line| line.account).collect()).await?;
    Ok(paging.paged(made, ends, Links::Join))
}

/// `GET /api/v1/accounts/:id/followers` <https://docs.joinmastodon.org/methods/accounts/#followers>
pub(super) async fn followers(
    State(app): State<App>,
    viewer: Viewer<scope::ReadAccounts>,
    Path(id): Path<AccountId>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Account>>> {
    let conn = app.db.read().await?;
    let of = accounts::visible(&conn, id).await?;
    let page = paging.page(PageLimits::ACCOUNTS);
    let rows = follows::followers(&conn, &of, viewer.account(), page.into()).await?;
    listed(&app, &conn, &paging, rows).await
}

/// `GET /api/v1/accounts/:id/following` <https://docs.joinmastodon.org/methods/accounts/#following>
pub(super) async fn following(
    State(app): State<App>,
    viewer: Viewer<scope::ReadAccounts>,
    Path(id): Path<AccountId>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Account>>> {
    let conn = app.db.read().await?;
    let of = accounts::visible(&conn, id).await?;
    let page = paging.page(PageLimits::ACCOUNTS);
    let rows = follows::following(&conn, &of, viewer.account(), page.into()).await?;
    listed(&app, &conn, &paging, rows).await
}

/// `GET /api/v1/accounts/:id/endorsements` <https://docs.joinmastodon.org/methods/accounts/#endorsements>
pub(super) async fn endorsements(
    State(app): State<App>,
    _: Viewer<scope::ReadAccounts>,
    Path(id): Path<AccountId>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Account>>> {
    let conn = app.db.read().await?;
    let of = accounts::visible(&conn, id).await?;
    let rows = match of.suspended_at {
        Some(_) => Vec::new(),
        None => relationships::endorsed(&conn, id, paging.page(PageLimits::ACCOUNTS).into()).await?,
    };
    listed(&app, &conn, &paging, rows).await
}

/// `GET /api/v1/endorsements` <https://docs.joinmastodon.org/methods/endorsements/#get>
pub(super) async fn own_endorsements(
    State(app): State<App>,
    user: User<scope::ReadAccounts>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Account>>> {
    let conn = app.db.read().await?;
    let rows = relationships::endorsed(&conn, user.account, paging.page(PageLimits::ACCOUNTS).into()).await?;
    listed(&app, &conn, &paging, rows).await
}

/// `GET /api/v1/accounts/:id/featured_tags` <https://docs.joinmastodon.org/methods/accounts/#featured_tags>
pub(super) async fn featured_tags(
    State(app): State<App>,
    _: Viewer<scope::Any>,
    Path(id): Path<AccountId>,
) -> ApiResult<Json<Vec<FeaturedTag>>> {
    let conn = app.db.read().await?;
    Ok(Json(entities::featured_tags(&app, tags::featured(&conn, id).await?)))
}

/// `GET /api/v1/accounts/:id/lists` <https://docs.joinmastodon.org/methods/accounts/#lists>
pub(super) async fn containing(
    State(app): State<App>,
    user: User<scope::ReadLists>,
    Path(id): Path<AccountId>,
) -> ApiResult<Json<Vec<List>>> {
    let conn = app.db.read().await?;
    Ok(Json(entities::lists(lists::containing(&conn, user.account, id).await?)))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct FamiliarForm {
    id: Vec<Id<AccountId>>,
}

/// `GET /api/v1/accounts/familiar_followers` <https://docs.joinmastodon.org/methods/accounts/#familiar_followers>
pub(super) async fn familiar_followers(
    State(app): State<App>,
    user: User<scope::ReadFollows>,
    Params(form): Params<FamiliarForm>,
) -> ApiResult<Json<Vec<FamiliarFollowers>>> {
    let ids: Vec<AccountId> = form.id.into_iter().filter_map(Id::known).collect();
    let conn = app.db.read().await?;
    let found = relationships::familiar_followers(&conn, user.account, &ids).await?;
    let mut people: HashMap<AccountId, accounts::Account> = HashMap::new();
    let mut groups: Vec<(AccountId, Vec<AccountId>)> = Vec::new();
    for (id, followers) in found {
        groups.push((id, followers.iter().map(|a| a.id).collect()));
        people.extend(followers.into_iter().map(|a| (a.id, a)));
    }
    let made = entities::accounts(&app, &conn, people.into_values().collect()).await?;
    let made: HashMap<AccountId, Account> = made.into_iter().map(|a| (a.id, a)).collect();
    let group = |(id, ids): (AccountId, Vec<AccountId>)| FamiliarFollowers {
        id,
        accounts: ids.iter().filter_map(|id| made.get(id).cloned()).collect(),
    };
    Ok(Json(groups.into_iter().map(group).collect()))
}

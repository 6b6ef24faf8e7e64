//! What one does to another: following, blocking, muting, noting.

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Relationship},
    http::{ApiResult, Id, Json, Params, Path, types::Seconds},
};
use axum::extract::State;
use domain::{accounts, blocks, follows, ids::AccountId, mutes, relationships};
use serde::Deserialize;
use std::time::Duration;

/// Accounts in one call; those behind are ignored.
const MOST: usize = 200;
/// Languages of one follow; those behind are ignored.
const LANGUAGES: usize = 50;

type Answer = ApiResult<Json<Relationship>>;

fn answer(found: relationships::Relationship) -> Answer {
    Ok(Json(found.into()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SeveralForm {
    id: Vec<Id<AccountId>>,
    with_suspended: bool,
}

/// `GET /api/v1/accounts/relationships` <https://docs.joinmastodon.org/methods/accounts/#relationships>
pub(super) async fn several(
    State(app): State<App>,
    user: User<scope::ReadFollows>,
    Params(form): Params<SeveralForm>,
) -> ApiResult<Json<Vec<Relationship>>> {
    let conn = app.db.read().await?;
    let wanted = form.id.into_iter().filter_map(Id::known).take(MOST);
    let mut rows = accounts::visible_among(&conn, wanted).await?;
    rows.retain(|a| form.with_suspended || a.suspended_at.is_none());
    let ids: Vec<AccountId> = rows.iter().map(|a| a.id).collect();
    let found = relationships::between(&conn, user.account, &ids).await?;
    Ok(Json(entities::relationships(found)))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct FollowForm {
    reblogs: Option<bool>,
    notify: Option<bool>,
    languages: Option<Vec<String>>,
}

/// `POST /api/v1/accounts/:id/follow` <https://docs.joinmastodon.org/methods/accounts/#follow>
pub(super) async fn follow(
    State(app): State<App>,
    user: User<scope::WriteFollows>,
    Path(id): Path<AccountId>,
    Params(form): Params<FollowForm>,
) -> Answer {
    let is_code =
        |code: &String| (2..=12).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let languages = form.languages.map(|list| list.into_iter().filter(is_code).take(LANGUAGES).collect());
    let wish = follows::Wish { reblogs: form.reblogs, notify: form.notify, languages };
    answer(follows::follow(&app.db, user.account, id, &wish).await?)
}

/// `POST /api/v1/accounts/:id/unfollow` <https://docs.joinmastodon.org/methods/accounts/#unfollow>
pub(super) async fn unfollow(
    State(app): State<App>,
    user: User<scope::WriteFollows>,
    Path(id): Path<AccountId>,
) -> Answer {
    answer(follows::unfollow(&app.db, user.account, id).await?)
}

/// `POST /api/v1/accounts/:id/remove_from_followers`
/// <https://docs.joinmastodon.org/methods/accounts/#remove_from_followers>
pub(super) async fn remove_from_followers(
    State(app): State<App>,
    user: User<scope::WriteFollows>,
    Path(id): Path<AccountId>,
) -> Answer {
    answer(follows::remove_follower(&app.db, user.account, id).await?)
}

/// `POST /api/v1/accounts/:id/block` <https://docs.joinmastodon.org/methods/accounts/#block>
pub(super) async fn block(State(app): State<App>, user: User<scope::WriteBlocks>, Path(id): Path<AccountId>) -> Answer {
    answer(blocks::block(&app.db, user.account, id).await?)
}

/// `POST /api/v1/accounts/:id/unblock` <https://docs.joinmastodon.org/methods/accounts/#unblock>
pub(super) async fn unblock(
    State(app): State<App>,
    user: User<scope::WriteBlocks>,
    Path(id): Path<AccountId>,
) -> Answer {
    answer(blocks::unblock(&app.db, user.account, id).await?)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct MuteForm {
    notifications: Option<bool>,
    duration: Option<Seconds>,
}

/// `POST /api/v1/accounts/:id/mute` <https://docs.joinmastodon.org/methods/accounts/#mute>
pub(super) async fn mute(
    State(app): State<App>,
    user: User<scope::WriteMutes>,
    Path(id): Path<AccountId>,
    Params(form): Params<MuteForm>,
) -> Answer {
    let duration = form.duration.filter(|d| d.0 > 0).map(|d| Duration::from_secs(d.0));
    let how = mutes::Mute { notifications: form.notifications.unwrap_or(true), duration };
    answer(mutes::mute(&app.db, user.account, id, how).await?)
}

/// `POST /api/v1/accounts/:id/unmute` <https://docs.joinmastodon.org/methods/accounts/#unmute>
pub(super) async fn unmute(State(app): State<App>, user: User<scope::WriteMutes>, Path(id): Path<AccountId>) -> Answer {
    answer(mutes::unmute(&app.db, user.account, id).await?)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct NoteForm {
    comment: String,
}

/// `POST /api/v1/accounts/:id/note` <https://docs.joinmastodon.org/methods/accounts/#note>
pub(super) async fn note(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    Path(id): Path<AccountId>,
    Params(form): Params<NoteForm>,
) -> Answer {
    answer(relationships::set_note(&app.db, user.account, id, &form.comment).await?)
}

/// `POST /api/v1/accounts/:id/endorse` (and `pin`) <https://docs.joinmastodon.org/methods/accounts/#endorse>
pub(super) async fn endorse(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    Path(id): Path<AccountId>,
) -> Answer {
    answer(relationships::endorse(&app.db, user.account, id).await?)
}

/// `POST /api/v1/accounts/:id/unendorse` (and `unpin`) <https://docs.joinmastodon.org/methods/accounts/#unendorse>
pub(super) async fn unendorse(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    Path(id): Path<AccountId>,
) -> Answer {
    answer(relationships::unendorse(&app.db, user.account, id).await?)
}

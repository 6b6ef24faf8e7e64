//! Rows of policies, and of senders whom they do not concern.

use crate::{
    Result,
    db::{Conn, Ids, Tx},
    ids::{AccountId, StatusId},
    notifications::{
        New,
        policy::{Change, Facts, Policy},
    },
    sql,
};

sql! {
    BY_ACCOUNT = "SELECT ", Policy::COLUMNS, " FROM notification_policies WHERE account_id = $1";
    UPSERT = "INSERT INTO notification_policies (account_id, ", Policy::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (account_id) DO UPDATE SET \
        for_not_following = COALESCE($7::bigint, notification_policies.for_not_following), \
        for_not_followers = COALESCE($8::bigint, notification_policies.for_not_followers), \
        for_new_accounts = COALESCE($9::bigint, notification_policies.for_new_accounts), \
        for_private_mentions = COALESCE($10::bigint, notification_policies.for_private_mentions), \
        for_limited_accounts = COALESCE($11::bigint, notification_policies.for_limited_accounts)";
    // All that a verdict needs, in one look. A status of visibility 3 is direct.
    FACTS = "SELECT p.for_not_following, p.for_not_followers, p.for_new_accounts, p.for_private_mentions, p.for_limited_accounts, \
        EXISTS (SELECT 1 FROM follows f WHERE f.account_id = $1 AND f.target_id = $2), \
        (SELECT f.created_at FROM follows f WHERE f.account_id = $2 AND f.target_id = $1), \
        a.created_at, a.silenced_at IS NOT NULL, \
        EXISTS (SELECT 1 FROM notification_permissions n WHERE n.account_id = $1 AND n.from_account_id = $2), \
        COALESCE((SELECT s.role FROM users s WHERE s.account_id = $2), 0), \
        COALESCE(s.visibility = 3, FALSE), s.in_reply_to_id \
        FROM users u JOIN accounts a ON a.id = $2 LEFT JOIN notification_policies p ON p.account_id = $1 \
        LEFT JOIN statuses s ON s.id = $3 WHERE u.account_id = $1";
    // A hundred steps up the thread at most, with others in between.
    ADDRESSED_ABOVE = "WITH RECURSIVE up (id, parent_id, step) AS ( \
            SELECT s.id, s.in_reply_to_id, 1 FROM statuses s WHERE s.id = $1 UNION ALL \
            SELECT s.id, s.in_reply_to_id, up.step + 1 FROM up JOIN statuses s ON s.id = up.parent_id WHERE up.step < 100) \
        SELECT 1::bigint FROM up JOIN statuses s ON s.id = up.id JOIN mentions m ON m.status_id = s.id \
        WHERE s.account_id = $2 AND s.visibility = 3 AND m.account_id = $3 LIMIT 1";
    INSERT_PERMISSIONS = "INSERT INTO notification_permissions (account_id, from_account_id) \
        SELECT $1::bigint, e.value FROM unnest($2::bigint[]) AS e(value) WHERE TRUE ON CONFLICT DO NOTHING";
    DELETE_PERMISSION = "DELETE FROM notification_permissions WHERE account_id = $1 AND from_account_id = $2";
}

pub(in crate::notifications) async fn by_account(conn: &Conn, account: AccountId) -> Result<Option<Policy>> {
    conn.opt(BY_ACCOUNT, &[&account]).await
}

/// Writes `whole` where there is no policy yet, else only what changes.
pub(in crate::notifications) async fn upsert(
    tx: &Tx,
    account: AccountId,
    whole: &Policy,
    change: &Change,
) -> Result<()> {
    let params: crate::db::Params<'_> = &[
        &account,
        &whole.for_not_following,
        &whole.for_not_followers,
        &whole.for_new_accounts,
        &whole.for_private_mentions,
        &whole.for_limited_accounts,
        &change.for_not_following,
        &change.for_not_followers,
        &change.for_new_accounts,
        &change.for_private_mentions,
        &change.for_limited_accounts,
    ];
    tx.exec(UPSERT, params).await?;
    Ok(())
}

/// None when it is for nobody of this server.
pub(in crate::notifications) async fn facts(tx: &Tx, new: &New) -> Result<Option<Facts>> {
    tx.opt(FACTS, &[&new.account, &new.from, &new.status]).await
}

/// Whether `status` or one above it is a direct one of the first account that names the second.
pub(in crate::notifications) async fn is_addressed_above(
    conn: &Conn,
    status: StatusId,
    (author, named): (AccountId, AccountId),
) -> Result<bool> {
    conn.exists(ADDRESSED_ABOVE, &[&status, &author, &named]).await
}

pub(in crate::notifications) async fn insert_permissions(
    tx: &Tx,
    account: AccountId,
    from: &[AccountId],
) -> Result<()> {
    tx.exec(INSERT_PERMISSIONS, &[&account, &Ids::of(from.iter().copied())]).await?;
    Ok(())
}

pub(in crate::notifications) async fn delete_permission(tx: &Tx, account: AccountId, from: AccountId) -> Result<()> {
    tx.exec(DELETE_PERMISSION, &[&account, &from]).await?;
    Ok(())
}

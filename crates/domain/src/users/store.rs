//! Rows of users.

use super::User;
use crate::{
    Result,
    db::Conn,
    ids::{AccountId, UserId},
    sql,
};

sql! {
    BY_ID = "SELECT ", User::COLUMNS, " FROM users WHERE id = $1";
    BY_ACCOUNT = "SELECT ", User::COLUMNS, " FROM users WHERE account_id = $1";
}

pub async fn by_id(conn: &Conn, id: UserId) -> Result<Option<User>> {
    conn.opt(BY_ID, &[&id]).await
}

pub async fn by_account(conn: &Conn, id: AccountId) -> Result<Option<User>> {
    conn.opt(BY_ACCOUNT, &[&id]).await
}

//! The pages that write, through the front door as a browser without scripts, on both engines.
#![allow(clippy::unwrap_used)]

mod browser;
mod invites;
mod sign_up;
mod states;
mod two_factor;

use domain::{
    settings::{self, InstanceSettings},
    users::{self, NewUser, Role, User},
};
use testkit::TestServer;

/// Somebody with a password and this role.
async fn person(server: &TestServer, name: &str, role: Role) -> (User, domain::accounts::Account) {
    let password = Some(browser::PASSWORD.to_owned());
    let new = NewUser { email: Some(format!("{name}@example.com")), password, role, ..NewUser::named(name) };
    users::create(server.db(), &server.parts().site, new).await.unwrap()
}

async fn set(server: &TestServer, change: impl FnOnce(&mut InstanceSettings)) {
    let tx = server.db().begin().await.unwrap();
    let mut now = settings::read(&tx).await.unwrap();
    change(&mut now);
    settings::write(&tx, &now).await.unwrap();
    tx.commit().await.unwrap();
}

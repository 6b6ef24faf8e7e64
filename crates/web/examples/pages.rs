//! Serves the pages on this machine with a database that is thrown away, to be looked at:
//! `cargo run -p web --example pages [-- 127.0.0.1:3900 [people]]`. With `people` somebody is here already:
//! hanako with the password `correct horse`.

#![allow(clippy::print_stdout)]

use axum::{extract::ConnectInfo, middleware::map_request};
use domain::{
    Db,
    oauth::{self, NewApp, OUT_OF_BAND},
    sessions::Attempts,
    settings::{self, Rule},
    site::{ClientIp, Limits, Site},
    statuses::{self, NewStatus},
    users::{self, NewUser},
};
use std::{error::Error, net::SocketAddr, sync::Arc};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address: SocketAddr = arguments.next().as_deref().unwrap_or("127.0.0.1:3900").parse()?;
    let dir = tempfile::tempdir()?;
    let db = Db::open(&domain::db::DatabaseConfig::default(), &dir.path().join("pages.sqlite3")).await?;
    let base_url = format!("http://localhost:{}", address.port());
    let site = Arc::new(Site {
        alternate_domains: Vec::new(),
        domain: format!("localhost:{}", address.port()),
        media_url: format!("{base_url}/media"),
        base_url,
        limits: Limits::default(),
    });
    if let Some(link) = web::setup_link(&db, &site).await? {
        println!("{link}");
    }
    if arguments.next().is_some() {
        fill(&db, &site).await?;
    }
    let federation = federation::Federation::new(db.clone(), site.clone(), "0.1.0", Default::default())?;
    let attempts = Attempts::default();
    let web = web::Web::new(web::Parts { db, site, federation, attempts, version: "0.1.0" });
    let address_of = |mut request: axum::extract::Request| async move {
        if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
            request.extensions_mut().insert(ClientIp(peer.ip()));
        }
        request
    };
    // In the program the API answers this.
    let nobody =
        || async { ([("content-type", "image/png")], include_bytes!("../../api/assets/avatar.png").as_slice()) };
    let router = web::router(web)
        .route("/avatars/original/missing.png", axum::routing::get(nobody))
        .fallback(web::not_found)
        .layer(map_request(address_of));
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{address}");
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

async fn fill(db: &Db, site: &Site) -> Result<(), Box<dyn Error>> {
    let new = NewUser {
        email: Some("hanako@example.com".into()),
        password: Some("correct horse".into()),
        ..NewUser::named("hanako")
    };
    let (user, account) = users::create_owner(db, site, new).await?;
    let change = domain::accounts::ProfileChange {
        display_name: Some("花子 Hanako".into()),
        note: Some("Dyes cloth with indigo in a small town by the sea.\n#藍染 and https://example.com/a/long/path/to/the/shop/window".into()),
        fields: Some(vec![("Shop".into(), "https://example.com".into()), ("Pronouns".into(), "she / her".into())]),
        ..Default::default()
    };
    domain::accounts::update_profile(db, site, account.id, change).await?;
    let tx = db.begin().await?;
    let mut settings = settings::read(&tx).await?;
    settings.title = "Aizome 藍染".into();
    settings.description = "People who dye, weave and sew, and their friends.".into();
    settings.about = "We are a handful of people around a workshop.\n\nEverybody is welcome to read along.".into();
    settings.rules = ["Be kind.", "No advertising."]
        .iter()
        .zip(1..)
        .map(|(text, id)| Rule { id, text: (*text).into(), hint: String::new() })
        .collect();
    settings.registrations = domain::settings::Registrations::Approval;
    settings.contact_email = "hanako@example.com".into();
    settings::write(&tx, &settings).await?;
    tx.commit().await?;
    meet(db, site).await?;
    let mut last = None;
    for (text, warning) in [
        (
            "The first vat of the year is ready. 今年最初の藍建てができました。\n\nCome by on Saturday! #藍染 #indigo",
            "",
        ),
        ("It foams blue and smells of autumn: https://example.com/indigo/how-it-works/long-address", ""),
        ("The film ends with the boat.", "Spoiler: last night's film"),
    ] {
        let new =
            NewStatus { text: text.into(), spoiler_text: warning.into(), in_reply_to: None, ..NewStatus::default() };
        last = Some(statuses::publish(db, site, &user, new).await?);
    }
    let reply = NewStatus {
        text: "@hanako I shall bring tea.".into(),
        in_reply_to: last.map(|s| s.id),
        ..NewStatus::default()
    };
    for (name, reason) in [
        ("michiko", "I dye with madder and would like to talk with people who do the same.\nA friend told me of you."),
        ("jean_with_a_rather_long_name", "Bonjour !"),
    ] {
        let asks = NewUser {
            email: Some(format!("{name}@example.com")),
            reason: reason.into(),
            approved: false,
            ..NewUser::named(name)
        };
        users::create(db, site, asks).await?;
    }
    for (max_uses, days) in [(Some(10), Some(7)), (None, None)] {
        let life = days.map(|days| std::time::Duration::from_secs(days * 86_400));
        domain::invites::create(db, domain::invites::NewInvite { by: Some(user.id), max_uses, life }).await?;
    }
    let (taro, _) = users::create(db, site, NewUser::named("taro")).await?;
    let status = statuses::publish(db, site, &taro, reply).await?;
    println!("{}", status.in_reply_to_id.map_or_else(String::new, |id| site.status_url("hanako", id)));
    for (name, scopes) in [
        ("Indigo for Android", "read write follow push"),
        ("Tea Timer", "profile read:statuses read:notifications write:statuses write:media"),
    ] {
        let new = NewApp {
            name: name.into(),
            redirect_uris: vec!["https://client.example/callback".into(), OUT_OF_BAND.into()],
            scopes: scopes.into(),
            website: Some("https://client.example".into()),
        };
        let (app, _) = oauth::apps::create(db, new).await?;
        oauth::tokens::create_for_app(db, (app.id, user.id), app.scopes()).await?;
        let scope = scopes.replace(' ', "+");
        println!(
            "{}/oauth/authorize?response_type=code&client_id={}&redirect_uri=https://client.example/callback&scope={scope}&state=x",
            site.base_url, app.client_id
        );
        println!(
            "{}/oauth/authorize?response_type=code&client_id={}&redirect_uri={OUT_OF_BAND}&scope={scope}",
            site.base_url, app.client_id
        );
    }
    oauth::tokens::create(db, user.id, "read".parse()?).await?;
    users::seen(db, user.id).await?;
    Ok(())
}

/// Somebody of another server is known here.
async fn meet(db: &Db, site: &Site) -> Result<(), Box<dyn Error>> {
    let elsewhere = domain::accounts::remote::Arrived {
        uri: "https://weavers.example/users/yarrow".into(),
        url: Some("https://weavers.example/@yarrow".into()),
        username: "yarrow".into(),
        domain: "weavers.example".into(),
        display_name: "Yarrow at the loom".into(),
        ..Default::default()
    };
    domain::accounts::remote::receive(db, &elsewhere).await?;
    println!("{}/@yarrow@weavers.example", site.base_url);
    Ok(())
}

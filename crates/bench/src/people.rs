//! The people of a site: one who reads, and authors with profiles as people have them.

use crate::World;
use crate::pictures::{self, Print};
use anyhow::Context as _;
use domain::accounts::{self, Picture, ProfileChange};
use domain::follows::{self, Wish};
use domain::ids::{AccountId, AppId};
use domain::oauth::{NewApp, OUT_OF_BAND, Scopes, apps, tokens};
use domain::users::{self, NewUser, User};
use media::keys::Kind;

/// What a client asks for that does everything.
const SCOPES: &str = "read write follow";

pub struct Person {
    pub name: String,
    pub account: AccountId,
    pub user: User,
    /// What they write with.
    pub app: AppId,
}

/// The reader and the authors, whom the reader follows.
pub async fn create(world: &World, authors: usize, album: &[Print]) -> anyhow::Result<(Person, Vec<Person>)> {
    let app = client(world).await?;
    let reader = person(world, "reader".into(), app).await?;
    let mut followed = Vec::new();
    for number in 1..=authors {
        let author = person(world, format!("author{number}"), app).await?;
        let print = album.get(number % album.len().max(1)).context("a picture")?;
        introduce(world, &author, print).await?;
        follows::follow(&world.db, reader.account, author.account, &Wish::default()).await?;
        followed.push(author);
    }
    Ok((reader, followed))
}

async fn person(world: &World, name: String, app: AppId) -> anyhow::Result<Person> {
    let new = NewUser { email: Some(format!("{name}@{}", world.site.domain)), ..NewUser::named(&name) };
    let (user, account) = users::create(&world.db, &world.site, new).await?;
    Ok(Person { name, account: account.id, user, app })
}

/// A profile with all that people put there.
async fn introduce(world: &World, author: &Person, print: &Print) -> anyhow::Result<()> {
    let avatar = pictures::portrait(world, (Kind::Avatar, author.account), print)?;
    let header = pictures::portrait(world, (Kind::Header, author.account), print)?;
    let picture = |original: String| Some(Picture::Set { original, still: None });
    let change = ProfileChange {
        display_name: Some(format!("{} 暖簾", author.name)),
        note: Some("Takes pictures of trains and of bread. 散歩と写真。".into()),
        avatar: picture(avatar),
        header: picture(header),
        fields: Some(vec![("Web".into(), "https://example.com/".into())]),
        discoverable: Some(true),
        indexable: Some(true),
        ..ProfileChange::default()
    };
    accounts::update_profile(&world.db, &world.site, author.account, change).await?;
    Ok(())
}

/// The application that statuses are posted with and that the tokens belong to.
async fn client(world: &World) -> anyhow::Result<AppId> {
    let new = NewApp {
        name: "Bench".into(),
        redirect_uris: vec![OUT_OF_BAND.into()],
        scopes: SCOPES.into(),
        website: Some("https://example.com/".into()),
    };
    Ok(apps::create(&world.db, new).await?.0.id)
}

/// A token for everything.
pub async fn token(world: &World, person: &Person) -> anyhow::Result<String> {
    let scopes = SCOPES.parse::<Scopes>().context("scopes")?;
    let issued = tokens::create_for_app(&world.db, (person.app, person.user.id), scopes).await?;
    Ok(issued.token)
}

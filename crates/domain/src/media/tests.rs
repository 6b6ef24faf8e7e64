use super::*;
use crate::{
    accounts::tests::{World, world},
    ids, jobs,
    site::Limits,
    statuses::NewStatus,
};

fn new(owner: AccountId, description: Option<&str>) -> New {
    let details = Details::read(&Limits::default(), description, Some("0.5,-0.25")).unwrap();
    New { id: ids::next(), owner, details, thumbnail: None }
}

fn upload(name: &str) -> Upload {
    Upload { key: format!("uploads/{name}"), content_type: "image/jpeg".into(), size: 7 }
}

fn small(key: &str) -> Small {
    Small { key: key.into(), shape: Shape { width: 640, height: 320 }, blurhash: format!("hash of {key}") }
}

fn versions(name: &str) -> Versions {
    Versions {
        original: format!("original/{name}"),
        shape: Shape { width: 1600, height: 800 },
        content_type: "image/jpeg".into(),
        size: 5,
        small: small(&format!("small/{name}")),
    }
}

impl World {
    async fn media(&self, id: MediaId) -> Option<Attachment> {
        store::by_id(&self.db.read().await.unwrap(), id).await.unwrap()
    }

    /// Everything that waits in the queue.
    async fn jobs(&self) -> Vec<Job> {
        let conn = self.db.read().await.unwrap();
        let rows = jobs::list(&conn, jobs::State::Waiting, 100).await.unwrap();
        rows.iter().rev().map(|row| serde_json::from_str(&row.payload).unwrap()).collect()
    }

    /// As if so much time had passed for everything that hangs on no status.
    async fn age(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        let tx = self.db.begin().await.unwrap();
        let sql = "UPDATE media_attachments SET loose_since = loose_since - $1";
        tx.exec(sql, &[&millis]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn an_upload_becomes_an_attachment() {
    let w = world().await;
    let alice = w.person("alice").await;
    let row = receive(&w.db, new(alice, Some(" a cat ")), upload("cat")).await.unwrap();
    assert_eq!(w.jobs().await, [Job::ProcessMedia { media: row.id }]);
    let kept = w.media(row.id).await.unwrap();
    assert_eq!((kept.state, kept.keys()), (State::Processing, vec!["uploads/cat".to_owned()]));
    let conn = w.db.read().await.unwrap();
    assert_eq!(still_processing(&conn, &[row.id, MediaId(1)]).await.unwrap(), [row.id]);
    drop(conn);

    finish(&w.db, row.id, versions("cat")).await.unwrap();
    let kept = w.media(row.id).await.unwrap();
    assert_eq!((kept.state, kept.keys()), (State::Ready, vec!["original/cat".to_owned(), "small/cat".into()]));
    assert_eq!(kept.description.as_deref(), Some("a cat"));
    assert_eq!((kept.focus_x, kept.focus_y), (Some(0.5), Some(-0.25)));
    assert_eq!(kept.blurhash.as_deref(), Some("hash of small/cat"));
    assert_eq!(
        kept.meta_json.as_deref(),
        Some(
            r#"{"original":{"width":1600,"height":800,"size":"1600x800","aspect":2.0},"small":{"width":640,"height":320,"size":"640x320","aspect":2.0}}"#
        )
    );
    // The job that is run again, and the one whose attachment was removed, learn that nobody waits.
    assert!(matches!(finish(&w.db, row.id, versions("again")).await, Err(Error::NotFound)));
    assert!(matches!(fail(&w.db, row.id, "no").await, Err(Error::NotFound)));
    assert_eq!(w.media(row.id).await.unwrap().original.as_deref(), Some("original/cat"));
}

#[tokio::test]
async fn a_chosen_preview_stays() {
    let w = world().await;
    let alice = w.person("alice").await;
    let with = New { thumbnail: Some(small("thumb/one")), ..new(alice, None) };
    let row = receive(&w.db, with, upload("cat")).await.unwrap();
    finish(&w.db, row.id, versions("cat")).await.unwrap();
    let kept = w.media(row.id).await.unwrap();
    assert_eq!(kept.small.as_deref(), Some("thumb/one"));
    assert_eq!(kept.blurhash.as_deref(), Some("hash of thumb/one"));
    assert_eq!(w.jobs().await[1..], [Job::DeleteFiles { keys: vec!["small/cat".into()] }]);

    let mut other = small("thumb/two");
    other.shape = Shape { width: 1, height: 1 };
    let changed = update(&w.db, (alice, row.id), Details::default(), Some(other)).await.unwrap();
    let kept = w.media(row.id).await.unwrap();
    assert_eq!(kept.small.as_deref(), Some("thumb/two"));
    assert_eq!(kept.meta_json, changed.meta_json);
    let meta: serde_json::Value = serde_json::from_str(&kept.meta_json.unwrap()).unwrap();
    assert_eq!((&meta["small"]["size"], &meta["original"]["size"]), (&"1x1".into(), &"1600x800".into()));
    assert_eq!(w.jobs().await.last(), Some(&Job::DeleteFiles { keys: vec!["thumb/one".into()] }));
}

#[tokio::test]
async fn only_the_owner_changes_and_only_while_it_is_loose() {
    let w = world().await;
    let (alice, bob) = (w.person("alice").await, w.person("bob").await);
    let row = create(&w.db, new(alice, Some("old")), versions("cat")).await.unwrap();
    let details = |text| Details::read(&Limits::default(), Some(text), None).unwrap();
    let conn = w.db.read().await.unwrap();
    assert!(matches!(own(&conn, bob, row.id).await, Err(Error::NotFound)));
    assert!(own(&conn, alice, row.id).await.is_ok());
    drop(conn);
    assert!(matches!(update(&w.db, (bob, row.id), details("x"), None).await, Err(Error::NotFound)));
    assert!(matches!(delete(&w.db, bob, row.id).await, Err(Error::NotFound)));
    update(&w.db, (alice, row.id), details("new"), None).await.unwrap();
    assert_eq!(w.media(row.id).await.unwrap().description.as_deref(), Some("new"));
    update(&w.db, (alice, row.id), details(""), None).await.unwrap();
    assert_eq!(w.media(row.id).await.unwrap().description, None);

    let user = crate::users::store::by_account(&w.db.read().await.unwrap(), alice).await.unwrap().unwrap();
    let post = NewStatus { text: "look".into(), media: vec![row.id], ..NewStatus::default() };
    crate::statuses::publish(&w.db, &w.site, &user, post).await.unwrap();
    assert!(matches!(update(&w.db, (alice, row.id), details("x"), None).await, Err(Error::NotFound)));
    let Err(Error::Conflict(why)) = delete(&w.db, alice, row.id).await else { panic!() };
    assert_eq!(why, "Media attachment is currently used by a status");

    let loose = create(&w.db, new(alice, None), versions("dog")).await.unwrap();
    delete(&w.db, alice, loose.id).await.unwrap();
    assert!(w.media(loose.id).await.is_none());
    let gone = Job::DeleteFiles { keys: vec!["original/dog".into(), "small/dog".into()] };
    assert!(w.jobs().await.contains(&gone));
}

#[tokio::test]
async fn failures_are_told() {
    let w = world().await;
    let alice = w.person("alice").await;
    let row = receive(&w.db, new(alice, None), upload("cat")).await.unwrap();
    fail(&w.db, row.id, "File is invalid: it is incomplete").await.unwrap();
    let refused = update(&w.db, (alice, row.id), Details::default(), None).await.unwrap_err().to_string();
    assert_eq!(refused, "Error processing thumbnail for uploaded media: File is invalid: it is incomplete");
    assert!(w.media(row.id).await.unwrap().keys().is_empty());
}

#[tokio::test]
async fn what_hangs_on_nothing_goes_after_a_day() {
    let w = world().await;
    let alice = w.person("alice").await;
    let user = crate::users::store::by_account(&w.db.read().await.unwrap(), alice).await.unwrap().unwrap();
    let mut made = Vec::new();
    for name in ["posted", "redrafted", "scheduled", "loose"] {
        made.push(create(&w.db, new(alice, None), versions(name)).await.unwrap().id);
    }
    let post = |media| NewStatus { media: vec![media], ..NewStatus::default() };
    crate::statuses::publish(&w.db, &w.site, &user, post(made[0])).await.unwrap();
    let redrafted = crate::statuses::publish(&w.db, &w.site, &user, post(made[1])).await.unwrap();
    let at = Time::now().plus(Duration::from_secs(7 * 24 * 3600));
    crate::scheduled::create(&w.db, &w.site, &user, (post(made[2]), at)).await.unwrap();
    w.age(KEPT_LOOSE).await;
    let media = crate::statuses::Media::Keep;
    crate::statuses::delete(&w.db, alice, (redrafted.id, media)).await.unwrap();
    w.age(Duration::from_secs(1)).await;

    assert_eq!(prune(&w.db).await.unwrap(), 1);
    let gone = Job::DeleteFiles { keys: vec!["original/loose".into(), "small/loose".into()] };
    assert_eq!(w.jobs().await.last(), Some(&gone));
    for id in &made[..3] {
        assert!(w.media(*id).await.is_some());
    }
    w.age(KEPT_LOOSE).await;
    assert_eq!(prune(&w.db).await.unwrap(), 1, "the redrafted one was not used again");
    assert!(w.db.idle());
}

use super::*;
use crate::{
    accounts::tests::world,
    follows::{self, Wish},
    jobs::{self, Outcome, Queue},
};

#[tokio::test]
async fn many_followers_come_along_a_few_at_a_time() {
    let world = world().await;
    let (old, new) = (world.person("old").await, world.person("new").await);
    let mut people = Vec::new();
    for n in 0..250 {
        let person = world.person(&format!("p{n}")).await;
        follows::follow(&world.db, person, old, &Wish::default()).await.unwrap();
        people.push(person);
    }
    // One of them is there already, one does not want to.
    follows::follow(&world.db, people[0], new, &Wish::default()).await.unwrap();
    crate::blocks::block(&world.db, people[1], new).await.unwrap();
    let other = accounts::store::by_id(&world.db.read().await.unwrap(), old).await.unwrap().unwrap();
    add_alias(&world.db, new, &other).await.unwrap();
    leave(&world.db, old, new).await.unwrap();
    let mut steps = Vec::new();
    loop {
        let claimed = jobs::claim(&world.db, Queue::Pull, 1, &crate::db::Texts(Vec::new())).await.unwrap();
        let Some(claimed) = claimed.into_iter().next() else { break };
        let Some(Job::Carry { carry: step }) = claimed.job.clone() else { panic!("{claimed:?}") };
        steps.push(step.what);
        // A crash after the work and before its end: it is done again.
        carry(&world.db, step).await.unwrap();
        carry(&world.db, step).await.unwrap();
        jobs::finish(&world.db, &claimed, Outcome::Done).await.unwrap();
    }
    assert_eq!(steps, [What::Follows, What::Follows, What::Follows, What::Notes, What::Blocks, What::Mutes]);
    assert_eq!(world.counts(old).await, (1, 0));
    assert_eq!(world.counts(new).await, (249, 0));
    assert!(world.db.idle());
}

#[tokio::test]
async fn aliases_have_bounds() {
    let world = world().await;
    let me = world.person("me").await;
    for n in 0..ALIASES {
        let other = world.remote(&format!("r{n}"), "far.example").await;
        let other = accounts::store::by_id(&world.db.read().await.unwrap(), other).await.unwrap().unwrap();
        add_alias(&world.db, me, &other).await.unwrap();
        add_alias(&world.db, me, &other).await.unwrap();
    }
    let other = world.remote("one-more", "far.example").await;
    let conn = world.db.read().await.unwrap();
    let (other, myself) = (
        accounts::store::by_id(&conn, other).await.unwrap().unwrap(),
        accounts::store::by_id(&conn, me).await.unwrap().unwrap(),
    );
    drop(conn);
    assert!(matches!(add_alias(&world.db, me, &other).await, Err(Error::Invalid { .. })));
    assert!(matches!(add_alias(&world.db, me, &myself).await, Err(Error::Invalid { .. })));
    assert_eq!(aliases(&world.db.read().await.unwrap(), me).await.unwrap().len(), 50);
    remove_alias(&world.db, me, "@R7@far.example").await.unwrap();
    assert!(matches!(remove_alias(&world.db, me, "r7@far.example").await, Err(Error::NotFound)));
    assert!(matches!(come_back(&world.db, me).await, Err(Error::NotFound)));
}

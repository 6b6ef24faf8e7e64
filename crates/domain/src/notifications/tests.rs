use super::*;
use crate::accounts::tests::{World, world};
use groups::{GROUPED, Group};
use std::collections::{BTreeMap, BTreeSet};

/// Inserts one notification for each (kind, key number), oldest first, and answers their ids.
async fn fill(world: &World, whom: AccountId, from: &[AccountId], what: &[(Kind, usize)]) -> Vec<i64> {
    let tx = world.db.begin().await.unwrap();
    let sql = "INSERT INTO notifications (id, account_id, from_account_id, kind, group_key, created_at) VALUES ($1, $2, $3, $4, $5, 1)";
    let mut ids = Vec::new();
    for (n, (kind, group)) in what.iter().enumerate() {
        let id: NotificationId = ids::next();
        let key = if GROUPED.contains(kind) { format!("{}-{group}", kind.as_str()) } else { groups::own_key(id) };
        tx.exec(sql, &[&id, &whom, &from[n % from.len()], kind, &key]).await.unwrap();
        ids.push(id.0);
    }
    tx.commit().await.unwrap();
    ids
}

/// A list that no two seeds share: few kinds, few groups, in any order.
fn mixed(mut seed: u64, length: usize) -> Vec<(Kind, usize)> {
    let mut next = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let kinds = [Kind::Favourite, Kind::Reblog, Kind::Follow, Kind::Mention];
    (0..length).map(|_| (kinds[next(4) as usize], next(3) as usize)).collect()
}

/// What the pages show: for each page the ids that its groups cover.
struct Seen {
    keys: Vec<String>,
    covered: Vec<i64>,
}

/// Walks all pages from one end, and looks at each.
async fn walk(world: &World, whom: AccountId, (limit, from): (i64, crate::page::From), grouped: &[Kind]) -> Seen {
    let conn = world.db.read().await.unwrap();
    let all = list(&conn, whom, &Filter::default(), Page::newest(100_000)).await.unwrap();
    let mut page = Page { from, ..Page::newest(limit) };
    let mut seen = Seen { keys: Vec::new(), covered: Vec::new() };
    loop {
        let found = groups::list(&conn, whom, &Filter::default(), (page, grouped)).await.unwrap();
        let Some((newest, oldest)) = found.range else { break };
        assert!(found.groups.len() <= limit as usize);
        assert!(found.groups.windows(2).all(|pair| pair[0].newest.id > pair[1].newest.id));
        let here: BTreeSet<&str> = found.groups.iter().map(|g| g.key.as_str()).collect();
        assert_eq!(here.len(), found.groups.len(), "each group once on a page");
        for group in &found.groups {
            check(group, &all, (newest, oldest), grouped, &mut seen.covered);
            seen.keys.push(group.key.clone());
        }
        page = match from {
            crate::page::From::Newest => Page { before: oldest, ..page },
            crate::page::From::Oldest => Page { after: newest, ..page },
        };
    }
    seen
}

fn key_of(row: &Notification, grouped: &[Kind]) -> String {
    if grouped.contains(&row.kind) { row.group_key.clone() } else { groups::own_key(row.id) }
}

fn check(group: &Group, all: &[Notification], (newest, oldest): (i64, i64), grouped: &[Kind], covered: &mut Vec<i64>) {
    let (min, max) = (group.page_min.0, group.newest.id.0);
    assert!(oldest <= min && min <= max && max <= newest, "{group:?} in {oldest}..={newest}");
    let of_group: Vec<_> = all.iter().filter(|n| key_of(n, grouped) == group.key && n.id.0 <= newest).collect();
    assert_eq!(group.count, of_group.len() as i64);
    let people: BTreeSet<_> = of_group.iter().take(8).map(|n| n.from_account_id).collect();
    assert_eq!(group.sample.iter().copied().collect::<BTreeSet<_>>(), people);
    assert_eq!(group.sample[0], group.newest.from_account_id);
    covered.extend(of_group.iter().map(|n| n.id.0).filter(|id| (min..=max).contains(id)));
}

#[tokio::test]
async fn pages_of_groups_show_each_notification_exactly_once() {
    use crate::page::From::{Newest, Oldest};
    for seed in 0..6 {
        let world = world().await;
        let whom = world.person("alice").await;
        let mut from = Vec::new();
        for name in ["bob", "carol", "dave"] {
            from.push(world.person(name).await);
        }
        let mut made = fill(&world, whom, &from, &mixed(seed, 40 + seed as usize * 17)).await;
        made.sort_unstable();
        for (limit, end) in
            [(1, Newest), (1, Oldest), (2, Newest), (3, Oldest), (7, Newest), (40, Oldest), (80, Newest)]
        {
            for grouped in [&GROUPED[..], &[Kind::Reblog], &[]] {
                let mut seen = walk(&world, whom, (limit, end), grouped).await;
                seen.covered.sort_unstable();
                assert_eq!(seen.covered, made, "seed {seed}, {limit} from {end:?}, grouping {grouped:?}");
                if grouped.is_empty() {
                    let alone: BTreeSet<_> = seen.keys.iter().collect();
                    assert_eq!(alone.len(), made.len());
                }
            }
        }
    }
}

#[tokio::test]
async fn a_group_too_large_for_one_page_goes_on_on_the_next() {
    let world = world().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let mut what = vec![(Kind::Mention, 0)];
    what.extend([(Kind::Favourite, 1); 4_500]);
    let mut made = fill(&world, alice, &[bob], &what).await;
    let conn = world.db.read().await.unwrap();
    let page = groups::list(&conn, alice, &Filter::default(), (Page::newest(40), &GROUPED)).await.unwrap();
    assert_eq!(page.groups.len(), 1, "as much is read as one page may cost");
    drop(conn);
    for end in [crate::page::From::Newest, crate::page::From::Oldest] {
        let mut seen = walk(&world, alice, (40, end), &GROUPED).await;
        seen.covered.sort_unstable();
        made.sort_unstable();
        assert_eq!(seen.covered, made);
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        seen.keys.into_iter().for_each(|key| *times.entry(key).or_default() += 1);
        assert_eq!(times["favourite-1"], 3, "{times:?}");
    }
}

#[tokio::test]
async fn held_back_is_no_more_than_so_many_from_one() {
    let world = world().await;
    let (alice, bob) = (world.person("alice").await, world.person("bob").await);
    let change = policy::Change { for_not_following: Some(Action::Filter), ..Default::default() };
    policy::update(&world.db, alice, change).await.unwrap();
    let mut tx = world.db.begin().await.unwrap();
    for _ in 0..502 {
        notify(&mut tx, New { account: alice, from: bob, kind: Kind::Follow, status: None }).await.unwrap();
    }
    tx.commit().await.unwrap();
    let conn = world.db.read().await.unwrap();
    let all = Filter { include_filtered: true, ..Default::default() };
    assert_eq!(list(&conn, alice, &all, Page::newest(1_000)).await.unwrap().len(), 500);
    assert!(list(&conn, alice, &Filter::default(), Page::newest(1_000)).await.unwrap().is_empty());
    let none = requests::list(&conn, alice, Page::newest(9)).await.unwrap();
    assert!(none.is_empty(), "a follow by itself asks for nothing");
}

#[test]
fn keys_of_groups() {
    use groups::Key;
    assert_eq!(Key::parse("ungrouped-12"), Key::One(NotificationId(12)));
    for text in ["ungrouped-", "ungrouped-x", "favourite-1-2", "", "ungrouped-99999999999999999999"] {
        assert_eq!(Key::parse(text), Key::Group(text.into()));
    }
}

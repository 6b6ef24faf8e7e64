//! The stored form of news.

use super::*;
use crate::{
    ids::{BlockId, FavouriteId, FollowId, PollId, ReactionId, RelayId, ReportId},
    statuses::reactions::Emoji,
};

/// One of each: who adds one adds it here.
fn all() -> Vec<(News, &'static str)> {
    let (account, status, telling) = (AccountId(1), StatusId(2), ActivityId(3));
    let emoji = || Emoji { name: "blob".into(), picture: Some("a.png".into()) };
    let bond = || Bond { account, target: AccountId(4), uri: "u".into(), id: FollowId(5) };
    let asked = || Asked { account, by: AccountId(4), uri: "u".into(), quoted: "q".into(), quoting: "r".into() };
    let gone = Gone {
        account,
        status: None,
        uri: "u".into(),
        visibility: Visibility::Unlisted,
        boosted: Some("https://b.example/1".into()),
        concerned: vec![AccountId(4)],
        boosters: vec![AccountId(5)],
        answered: None,
    };
    let answer = Gone { status: Some(status), answered: Some(AccountId(9)), ..gone.clone() };
    let left = relays::Left { litepub: true, inbox: "i".into(), account: Some(account), follow_uri: "f".into() };
    let (target, favourite, reaction, block) = (AccountId(4), FavouriteId(6), ReactionId(7), BlockId(8));
    let (name, uri, object) = ("n".to_owned(), "u".to_owned(), "o".to_owned());
    vec![
        (News::StatusCreated { status }, r#"{"news":"status_created","status":"2"}"#),
        (News::StatusApproved { status }, r#"{"news":"status_approved","status":"2"}"#),
        (News::StatusEdited { status }, r#"{"news":"status_edited","status":"2"}"#),
        (News::StatusRetold { status, telling }, r#"{"news":"status_retold","status":"2","telling":"3"}"#),
        (
            News::StatusDeleted { gone },
            r#"{"news":"status_deleted","gone":{"account":"1","uri":"u","visibility":"unlisted","boosted":"https://b.example/1","concerned":["4"],"boosters":["5"]}}"#,
        ),
        (
            News::StatusDeleted { gone: answer },
            r#"{"news":"status_deleted","gone":{"account":"1","status":"2","uri":"u","visibility":"unlisted","boosted":"https://b.example/1","concerned":["4"],"boosters":["5"],"answered":"9"}}"#,
        ),
        (News::QuoteRequested { status, again: 0 }, r#"{"news":"quote_requested","status":"2"}"#),
        (
            News::QuoteAccepted { asked: asked(), quoting: status, telling },
            r#"{"news":"quote_accepted","asked":{"account":"1","by":"4","uri":"u","quoted":"q","quoting":"r"},"quoting":"2","telling":"3"}"#,
        ),
        (
            News::QuoteRejected { asked: asked(), telling },
            r#"{"news":"quote_rejected","asked":{"account":"1","by":"4","uri":"u","quoted":"q","quoting":"r"},"telling":"3"}"#,
        ),
        (
            News::FeatureRejected { asked: asked(), telling },
            r#"{"news":"feature_rejected","asked":{"account":"1","by":"4","uri":"u","quoted":"q","quoting":"r"},"telling":"3"}"#,
        ),
        (News::QuoteRevoked { account, quoting: status }, r#"{"news":"quote_revoked","account":"1","quoting":"2"}"#),
        (News::Passed { status, activity: telling }, r#"{"news":"passed","status":"2","activity":"3"}"#),
        (
            News::Favourited { account, status, favourite },
            r#"{"news":"favourited","account":"1","status":"2","favourite":"6"}"#,
        ),
        (
            News::Unfavourited { account, status, favourite },
            r#"{"news":"unfavourited","account":"1","status":"2","favourite":"6"}"#,
        ),
        (
            News::Reacted { account, status, reaction, emoji: emoji() },
            r#"{"news":"reacted","account":"1","status":"2","reaction":"7","emoji":{"name":"blob","picture":"a.png"}}"#,
        ),
        (
            News::Unreacted { account, status, reaction, emoji: emoji() },
            r#"{"news":"unreacted","account":"1","status":"2","reaction":"7","emoji":{"name":"blob","picture":"a.png"}}"#,
        ),
        (
            News::LikeKept { account, status, telling },
            r#"{"news":"like_kept","account":"1","status":"2","telling":"3"}"#,
        ),
        (News::Pinned { account, status, telling }, r#"{"news":"pinned","account":"1","status":"2","telling":"3"}"#),
        (
            News::Unpinned { account, status, telling },
            r#"{"news":"unpinned","account":"1","status":"2","telling":"3"}"#,
        ),
        (
            News::TagFeatured { account, name: name.clone(), telling },
            r#"{"news":"tag_featured","account":"1","name":"n","telling":"3"}"#,
        ),
        (
            News::TagUnfeatured { account, name, telling },
            r#"{"news":"tag_unfeatured","account":"1","name":"n","telling":"3"}"#,
        ),
        (
            News::Followed { bond: bond() },
            r#"{"news":"followed","bond":{"account":"1","target":"4","uri":"u","id":"5"}}"#,
        ),
        (
            News::Unfollowed { bond: bond() },
            r#"{"news":"unfollowed","bond":{"account":"1","target":"4","uri":"u","id":"5"}}"#,
        ),
        (
            News::FollowAccepted { bond: bond() },
            r#"{"news":"follow_accepted","bond":{"account":"1","target":"4","uri":"u","id":"5"}}"#,
        ),
        (
            News::FollowRejected { bond: bond() },
            r#"{"news":"follow_rejected","bond":{"account":"1","target":"4","uri":"u","id":"5"}}"#,
        ),
        (
            News::Parted { parting: Parting { bond: bond(), other: "o".into(), inbox: "i".into() } },
            r#"{"news":"parted","parting":{"bond":{"account":"1","target":"4","uri":"u","id":"5"},"other":"o","inbox":"i"}}"#,
        ),
        (News::Blocked { account, target, block }, r#"{"news":"blocked","account":"1","target":"4","block":"8"}"#),
        (News::Unblocked { account, target, block }, r#"{"news":"unblocked","account":"1","target":"4","block":"8"}"#),
        (
            News::Voted { account, poll: PollId(9), choice: 1 },
            r#"{"news":"voted","account":"1","poll":"9","choice":1}"#,
        ),
        (News::PollCounted { status }, r#"{"news":"poll_counted","status":"2"}"#),
        (News::ProfileChanged { account, telling }, r#"{"news":"profile_changed","account":"1","telling":"3"}"#),
        (News::KeysRotated { account, telling }, r#"{"news":"keys_rotated","account":"1","telling":"3"}"#),
        (News::SiteKeysRotated { relay: true, telling }, r#"{"news":"site_keys_rotated","relay":true,"telling":"3"}"#),
        (
            News::Reported { report: ReportId(9), domains: vec!["a.example".into()] },
            r#"{"news":"reported","report":"9","domains":["a.example"]}"#,
        ),
        (News::AccountDeleted { account, uri: uri.clone() }, r#"{"news":"account_deleted","account":"1","uri":"u"}"#),
        (News::RelayFollowed { relay: RelayId(9) }, r#"{"news":"relay_followed","relay":"9"}"#),
        (
            News::RelayLeft { left },
            r#"{"news":"relay_left","left":{"litepub":true,"inbox":"i","account":"1","follow_uri":"f"}}"#,
        ),
        (News::Relayed { status }, r#"{"news":"relayed","status":"2"}"#),
        (
            News::SiteAnswered { follower: account, uri, object, accepted: true, telling },
            r#"{"news":"site_answered","follower":"1","uri":"u","object":"o","accepted":true,"telling":"3"}"#,
        ),
        (News::Moved { account, target, telling }, r#"{"news":"moved","account":"1","target":"4","telling":"3"}"#),
    ]
}

/// Rows outlive releases: a changed spelling here would strand them.
#[test]
fn stored_form_is_fixed() {
    for (news, json) in all() {
        assert_eq!(serde_json::to_string(&news).unwrap(), json);
        assert_eq!(serde_json::from_str::<News>(json).unwrap(), news);
    }
    // The error for a name that nobody knows lists all that are known.
    let error = serde_json::from_str::<News>(r#"{"news":"x"}"#).unwrap_err().to_string();
    let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    let listed = |name: &str| all().iter().any(|(_, json)| json.contains(&format!("\"news\":\"{name}\"")));
    let missing: Vec<&&str> = known.iter().filter(|name| !listed(name)).collect();
    // One of them is there twice.
    assert!(known.len() + 1 == all().len() && missing.is_empty(), "not in the table: {missing:?}");
}

#[test]
fn what_is_about_one_thing_is_told_in_turn() {
    let turn = |name: &str| {
        let found = all().into_iter().find(|(_, json)| json.contains(&format!("\"news\":\"{name}\"")));
        found.and_then(|(news, _)| news.turn())
    };
    for together in [
        &["status_created", "status_approved", "status_edited", "status_retold", "poll_counted", "passed", "pinned"][..],
        &["favourited", "unfavourited", "reacted", "unreacted", "like_kept"],
        &["followed", "unfollowed", "follow_accepted", "follow_rejected", "parted", "blocked", "unblocked"],
        &["tag_featured", "tag_unfeatured"],
        &["profile_changed", "keys_rotated", "account_deleted", "moved"],
        &["relay_followed", "relay_left"],
        &["quote_accepted", "quote_revoked"],
    ] {
        let turns: Vec<Option<i64>> = together.iter().map(|name| turn(name)).collect();
        assert!(turns.iter().all(|turn| turn.is_some() && *turn == turns[0]), "{together:?}");
    }
    let deleted: Vec<Option<i64>> =
        all().iter().filter(|(_, json)| json.contains("status_deleted")).map(|(news, _)| news.turn()).collect();
    // As those were kept that waited before there were turns.
    assert_eq!(deleted, [None, turn("status_edited")]);
    let other = News::StatusEdited { status: StatusId(3) };
    assert_ne!(other.turn(), turn("status_edited"));
    assert_eq!((turn("voted"), turn("reported")), (None, None));
}

//! Actors as we write them.

use super::context::Terms;
use super::write::{self, Writer};
use super::{Actor, ActorKind, Image, Key, KeyMaterial};
use serde_json::{Value, json};

impl Actor {
    /// The whole document.
    pub fn to_json(&self) -> Value {
        write::document(Terms::Actor, self.body())
    }

    pub(super) fn body(&self) -> Value {
        let mut out = Writer::new(Some(&self.id), kind(self.kind));
        out.text("preferredUsername", &self.username);
        out.opt("webfinger", self.webfinger.as_deref());
        out.put("name", self.name.as_str());
        out.put("summary", self.summary.as_str());
        out.opt("url", self.url.as_deref());
        out.put("inbox", self.inbox.as_str());
        out.opt("outbox", self.outbox.as_deref());
        out.opt("followers", self.followers.as_deref());
        out.opt("following", self.following.as_deref());
        out.opt("featured", self.featured.as_deref());
        out.opt("featuredTags", self.featured_tags.as_deref());
        if let Some(shared) = &self.shared_inbox {
            // Misskey looks for it beside the others.
            out.put("endpoints", json!({ "sharedInbox": shared }));
            out.put("sharedInbox", shared.as_str());
        }
        out.put("manuallyApprovesFollowers", self.locked);
        out.opt("discoverable", self.discoverable);
        out.opt("indexable", self.indexable);
        out.opt("published", self.published.map(|time| time.iso()));
        out.opt("updated", self.updated.map(|time| time.iso()));
        out.flag("memorial", self.memorial);
        out.flag("suspended", self.suspended);
        out.opt("icon", self.icon.as_ref().map(Image::body));
        out.opt("image", self.image.as_ref().map(Image::body));
        out.list(
            "attachment",
            &self.fields,
            |field| json!({ "type": "PropertyValue", "name": field.name, "value": field.value }),
        );
        let tags = self.emojis.iter().map(|it| it.body()).chain(self.hashtags.iter().map(|it| it.body()));
        out.put("tag", tags.collect::<Vec<Value>>());
        out.some_texts("alsoKnownAs", &self.also_known_as);
        out.opt("movedTo", self.moved_to.as_deref());
        out.some_texts("attributionDomains", &self.attribution_domains);
        self.write_keys(&mut out);
        out.done()
    }

    fn write_keys(&self, out: &mut Writer) {
        let pem = |key: &Key| match &key.material {
            KeyMaterial::Pem(pem) => Some(json!({ "id": key.id, "owner": key.owner, "publicKeyPem": pem })),
            KeyMaterial::Multibase(_) => None,
        };
        let multikey = |key: &Key| match &key.material {
            KeyMaterial::Pem(_) => None,
            KeyMaterial::Multibase(text) => {
                Some(json!({ "id": key.id, "type": "Multikey", "controller": key.owner, "publicKeyMultibase": text }))
            }
        };
        // One alone is no list: many know no more than one.
        let mut pems: Vec<Value> = self.keys.iter().filter_map(pem).collect();
        match pems.len() {
            0 => {}
            1 => out.opt("publicKey", pems.pop()),
            _ => out.put("publicKey", pems),
        }
        let multikeys: Vec<Value> = self.keys.iter().filter_map(multikey).collect();
        if !multikeys.is_empty() {
            out.put("assertionMethod", multikeys);
        }
        if self.knows_rfc9421 {
            const SPEC: &str = "https://datatracker.ietf.org/doc/html/rfc9421";
            let implements = json!([{ "href": SPEC, "name": "RFC-9421: HTTP Message Signatures" }]);
            out.put("generator", json!({ "type": "Application", "implements": implements }));
        }
    }
}

fn kind(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Person => "Person",
        ActorKind::Service => "Service",
        ActorKind::Application => "Application",
        ActorKind::Group => "Group",
        ActorKind::Organization => "Organization",
    }
}

impl Image {
    pub(super) fn body(&self) -> Value {
        let mut out = Writer::new(None, "Image");
        out.opt("mediaType", self.media_type.as_deref());
        out.put("url", self.url.as_str());
        out.opt("summary", self.description.as_deref());
        out.done()
    }
}

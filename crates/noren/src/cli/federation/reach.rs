//! `noren federation reach`

use super::{Failure, output};
use crate::server::Parts;
use anyhow::anyhow;
use federation::fetch::{Error, Reached, apart};
use federation::signatures::Form;
use federation::{Reach, Verdict};
use serde_json::{Value, json};
use std::net::IpAddr;

pub(super) async fn reach(parts: &Parts, name: &str, as_json: bool) -> Result<(), Failure> {
    let found = parts.federation.reach(name).await?;
    let found = found.ok_or_else(|| Failure::Usage(format!("{name} is not the name of a server")))?;
    let verdict = found.verdict();
    if as_json {
        output::json(&json(&found))?;
    } else {
        for line in told(&found, &parts.site.base_url) {
            output::line(line);
        }
    }
    match verdict {
        Verdict::Fine => Ok(()),
        verdict => Err(anyhow!("{}", summary(verdict, &found.host)).into()),
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fine => "fine",
        Verdict::Blocked => "blocked",
        Verdict::Unreachable => "unreachable",
        Verdict::Strange => "strange",
        Verdict::Refused => "refused",
        Verdict::Apart => "apart",
    }
}

fn summary(verdict: Verdict, host: &str) -> String {
    match verdict {
        Verdict::Fine => format!("{host} answers and does not refuse our signature"),
        Verdict::Blocked => format!("this site has nothing to do with {host}: see noren domains list"),
        Verdict::Unreachable => format!("{host} cannot be reached from here"),
        Verdict::Strange => format!("{host} answers, but not as a server of the federation does"),
        Verdict::Refused => format!("{host} answers, but refuses what we sign"),
        Verdict::Apart => {
            format!("{host} answers, but its clock and ours are too far apart for what is signed to be taken")
        }
    }
}

/// What was found, in plain words.
fn told(found: &Reach, base_url: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |label: &str, text: String| lines.push(format!("{label:<10} {text}"));
    say("We go out", outward(found));
    if let Some(prefix) = found.nat64 {
        say("NAT64", format!("this network reaches IPv4 through {prefix}"));
    }
    match &found.addresses {
        Err(error) => say("Addresses", error.to_string()),
        Ok(all) => all.iter().for_each(|one| say("Address", address(one, found))),
    }
    if let Some(ahead) = found.clock {
        say("Clock", apart(ahead).unwrap_or_else(|| "agrees with ours".to_owned()));
    }
    if let Some(software) = &found.software {
        say("Software", software.as_ref().map_or_else(|error| format!("not told: {error}"), Clone::clone));
    }
    if let Some(knock) = &found.knock {
        let text = match knock {
            Ok((url, form)) => format!("not refused ({}) at {url}", shown(*form)),
            Err(error) => format!("{error}{}", advice(error)),
        };
        say("Signature", text);
    }
    say("They", theirs(found, base_url));
    say("All in all", summary(found.verdict(), &found.host));
    lines
}

fn shown(form: Form) -> &'static str {
    match form {
        Form::Cavage => "draft-cavage-12",
        Form::CavagePathOnly => "draft-cavage-12 without the query",
        Form::Rfc9421 => "RFC 9421",
    }
}

fn outward(found: &Reach) -> String {
    match found.here {
        (Some(v4), Some(v6)) => format!("over IPv6 ({v6}) and IPv4 ({v4})"),
        (Some(v4), None) => format!("over IPv4 ({v4}) alone: servers with IPv6 alone cannot be reached"),
        (None, Some(v6)) => match found.nat64 {
            Some(_) => format!("over IPv6 ({v6}), and through NAT64 to IPv4"),
            None => format!("over IPv6 ({v6}) alone: servers with IPv4 alone cannot be reached without NAT64"),
        },
        (None, None) => "nowhere: this machine has no way to the internet".to_owned(),
    }
}

fn address(one: &Reached, found: &Reach) -> String {
    let inside = found.nat64.and_then(|prefix| prefix.inside(one.address));
    let kind = inside.map_or_else(String::new, |inner| format!(", which is {inner} through NAT64"));
    let outcome = match &one.outcome {
        Ok(time) => format!("answers in {} ms", time.as_millis()),
        Err(error) => format!("{error}{}", missing(one.address, found)),
    };
    format!("{}{kind}: {outcome}", one.address)
}

/// Why an address cannot be reached, when that is ours to change.
fn missing(address: IpAddr, found: &Reach) -> &'static str {
    match (address.is_ipv4(), found.here) {
        (true, (None, _)) => " (this machine has no IPv4)",
        (false, (_, None)) => " (this machine has no IPv6)",
        _ => "",
    }
}

fn advice(error: &Error) -> &'static str {
    match error {
        Error::Status { status: 401, .. } => {
            ": they could not verify our signature. Can they reach this site, is it running, is its clock right?"
        }
        Error::Status { status: 403, .. } => ": they may have blocked this site",
        Error::Status { status: 404 | 410, .. } => ": they have no actor where such servers have theirs",
        Error::Status { status: 500.., .. } => ": they have trouble, or could not fetch our key",
        _ => "",
    }
}

/// Whether they find a way to us, as far as one can tell from here.
fn theirs(found: &Reach, base_url: &str) -> String {
    let Ok(all) = &found.addresses else { return "nothing is known of their network".to_owned() };
    let (v4, v6) = families(all.iter().map(|one| one.address));
    let (our_v4, our_v6) = families(found.ours.iter().copied());
    if found.ours.is_empty() {
        return format!("cannot find us: the name in {base_url} has no address");
    }
    match (v4, v6) {
        (true, false) if !our_v4 => {
            "have IPv4 alone, our name has IPv6 alone: they reach us only if they go out over IPv6".to_owned()
        }
        (false, true) if !our_v6 => {
            "have IPv6 alone, our name has IPv4 alone: they reach us only through NAT64".to_owned()
        }
        _ => format!("look for us over {}", shared((v4 && our_v4, v6 && our_v6))),
    }
}

fn families(addresses: impl Iterator<Item = IpAddr>) -> (bool, bool) {
    addresses.fold((false, false), |(v4, v6), address| (v4 || address.is_ipv4(), v6 || address.is_ipv6()))
}

fn shared(families: (bool, bool)) -> &'static str {
    match families {
        (true, true) => "IPv6 and IPv4",
        (true, false) => "IPv4",
        (false, true) => "IPv6",
        (false, false) => "another family of addresses",
    }
}

fn json(found: &Reach) -> Value {
    let address = |one: &Reached| {
        json!({
            "address": one.address, "nat64": found.nat64.and_then(|prefix| prefix.inside(one.address)),
            "milliseconds": one.outcome.as_ref().ok().map(std::time::Duration::as_millis),
            "error": one.outcome.as_ref().err().map(ToString::to_string),
        })
    };
    let all = found.addresses.as_ref().map(|all| all.iter().map(address).collect::<Vec<_>>());
    json!({
        "host": found.host, "verdict": word(found.verdict()), "blocked": found.blocked,
        "here": { "ipv4": found.here.0, "ipv6": found.here.1, "nat64": found.nat64.map(|prefix| prefix.to_string()) },
        "ours": found.ours, "clock_ahead_seconds": found.clock,
        "addresses": all.as_ref().ok(), "error": all.as_ref().err().map(ToString::to_string),
        "software": found.software.as_ref().and_then(|software| software.as_ref().ok()),
        "signature": found.knock.as_ref().map(|knock| json!({
            "accepted": knock.is_ok(), "form": knock.as_ref().ok().map(|(_, form)| shown(*form)),
            "error": knock.as_ref().err().map(ToString::to_string),
        })),
    })
}

//! Where the host of a link ends, when text of any script may follow it without a space.

use super::chars::{is_cjk_stop, is_directional, is_unspaced};

/// Top-level domains in their own script, from IANA's list (<https://data.iana.org/TLD/>): only
/// a list can tell `https://nic.みんな` from `https://nic.` with Japanese text behind it.
/// Domains in ASCII letters need no list because the scheme already says that a link is meant.
const IDN_TLDS: &str = "한국 香港 澳門 新加坡 台灣 台湾 中國 中国 გე ລາວ ไทย ලංකා ഭാരതം ಭಾರತ భారత్ சிங்கப்பூர் இலங்கை \
    இந்தியா ଭାରତ ભારત ਭਾਰਤ ভাৰত ভারত বাংলা भारोत भारतम् भारत ڀارت پاکستان موريتانيا مليسيا مصر قطر فلسطين \
    عمان عراق سورية سودان تونس بھارت بارت ایران امارات المغرب السعودية الجزائر البحرين الاردن հայ қаз укр \
    срб рф мон мкд ею бел бг ευ ελ 삼성 닷컴 닷넷 香格里拉 餐厅 食品 飞利浦 電訊盈科 集团 通販 购物 谷歌 诺基亚 联通 \
    网络 网站 网店 网址 组织机构 移动 珠宝 点看 游戏 淡马锡 机构 書籍 时尚 新闻 政府 政务 招聘 手表 手机 我爱你 \
    慈善 微博 广东 工行 家電 娱乐 天主教 大拿 大众汽车 在线 嘉里大酒店 嘉里 商标 商店 商城 公益 公司 八卦 健康 \
    信息 佛山 企业 中文网 中信 世界 ポイント ファッション セール ストア コム グーグル クラウド アマゾン みんな คอม संगठन नेट कॉम همراه موقع \
    موبايلي كوم كاثوليك عرب شبكة بيتك بازار العليان ارامكو اتصالات ابوظبي קום ישראל сайт рус орг онлайн \
    москва ком католик дети vermögensberatung vermögensberater";

/// A host name is at most this long (RFC 1035).
const MAX_HOST: usize = 253;

/// Bytes of the host name at the start of the text: at least two labels, the last one a
/// top-level domain. None when there is none.
pub(super) fn host_len(text: &str) -> Option<usize> {
    let mut start = 0;
    let mut best: Option<usize> = None;
    let mut whole = true;
    loop {
        let label = label_at(&text[start..]);
        let after = &text[start + label.len()..];
        let tld = if start > 0 { tld_len(label, after) } else { None };
        match tld {
            Some(len) => {
                best = Some(start + len);
                whole = len == label.len();
            }
            // `example.com.5`: not a host that happens to end early.
            None if whole && label.starts_with(|c: char| c.is_ascii_alphanumeric()) => best = None,
            None => {}
        }
        if !after.starts_with('.') || !is_label(label) {
            break;
        }
        start += label.len() + 1;
    }
    best.filter(|len| *len <= MAX_HOST)
}

fn label_at(text: &str) -> &str {
    let end = text.find(|c| !is_host_char(c)).unwrap_or(text.len());
    &text[..end]
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && !label.starts_with(['-', '_']) && !label.ends_with(['-', '_'])
}

fn is_host_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    }
    // U+2000 to U+206F is general punctuation; ZWNJ and ZWJ sit inside some names.
    !c.is_whitespace()
        && !c.is_control()
        && !is_directional(c)
        && !is_cjk_stop(c)
        && (!matches!(c, '\u{2000}'..='\u{206f}') || matches!(c, '\u{200c}' | '\u{200d}'))
}

/// Bytes of the top-level domain that the label starts with; what follows in the label must be
/// another script or punctuation.
fn tld_len(label: &str, after: &str) -> Option<usize> {
    let idn = || IDN_TLDS.split_ascii_whitespace().filter(|tld| label.starts_with(tld)).map(str::len).max();
    if !label.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return idn();
    }
    let len = match label.get(..4) {
        Some(ace) if ace.eq_ignore_ascii_case("xn--") => {
            label.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(label.len())
        }
        _ => label.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(label.len()),
    };
    let next = label[len..].chars().next().or_else(|| after.chars().next());
    let ends = next.is_none_or(|c| {
        !(c.is_ascii_digit() || matches!(c, '@' | '+' | '-')) && (!c.is_alphabetic() || is_unspaced(c))
    });
    if ends && (2..=63).contains(&len) { Some(len) } else { idn() }
}

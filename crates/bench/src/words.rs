//! Texts as people write them, made from a seed: the same fill every time, on every engine.

/// Numbers that only look random (splitmix64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % end).unwrap_or(0)
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// An empty text when there is nothing to pick.
    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from.get(self.below(from.len())).copied().unwrap_or_default()
    }
}

/// A text and its language.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    pub language: &'static str,
}

/// 50 to 400 characters; a third of them Japanese, some with hashtags, a link, or the name of one of `people`.
pub fn text(random: &mut Random, people: &[String]) -> Text {
    let wanted = 50 + random.below(280);
    let (mut text, language) = match random.below(20) {
        0..=5 => (sentences(random, JAPANESE, ("", "。"), wanted / 2), "ja"),
        6..=7 => (sentences(random, GERMAN, (" ", ". "), wanted), "de"),
        _ => (sentences(random, ENGLISH, (" ", ". "), wanted), "en"),
    };
    if random.percent(10) && !people.is_empty() {
        let whom = people.get(random.below(people.len())).map_or("", String::as_str);
        text = format!("@{whom} {text}");
    }
    if random.percent(20) {
        let (year, page) = (2018 + random.below(8), random.number() % 100_000);
        text.push_str(&format!("\n\nhttps://{}/articles/{year}/{page}?ref=timeline", random.pick(HOSTS)));
    }
    if random.percent(30) {
        text.push('\n');
        for _ in 0..=random.below(3) {
            text.push_str(" #");
            text.push_str(random.pick(TAGS));
        }
    }
    Text { text, language }
}

/// At least `wanted` characters, at most a sentence more.
fn sentences(random: &mut Random, words: &[&'static str], (gap, stop): (&str, &str), wanted: usize) -> String {
    let mut out = String::new();
    while out.chars().count() < wanted.max(25) {
        for place in 0..4 + random.below(6) {
            if place > 0 {
                out.push_str(gap);
            }
            out.push_str(random.pick(words));
        }
        out.push_str(stop);
        if random.percent(12) {
            out.push('\n');
        }
    }
    out.trim_end().to_owned()
}

const ENGLISH: &[&str] = &[
    "the",
    "a",
    "this",
    "that",
    "my",
    "our",
    "some",
    "every",
    "morning",
    "train",
    "river",
    "garden",
    "bread",
    "coffee",
    "window",
    "camera",
    "light",
    "winter",
    "street",
    "library",
    "book",
    "page",
    "cat",
    "neighbour",
    "weather",
    "walk",
    "photograph",
    "festival",
    "kitchen",
    "music",
    "evening",
    "bridge",
    "mountain",
    "server",
    "compiler",
    "keyboard",
    "is",
    "was",
    "looks",
    "feels",
    "became",
    "took",
    "made",
    "found",
    "saw",
    "opened",
    "closed",
    "remembers",
    "needs",
    "quiet",
    "bright",
    "old",
    "new",
    "slow",
    "warm",
    "cold",
    "small",
    "strange",
    "good",
    "finally",
    "again",
    "today",
    "with",
    "without",
    "under",
    "over",
    "near",
    "after",
    "before",
    "because",
    "while",
    "and",
    "but",
    "so",
    "not",
    "everything",
    "nothing",
    "somebody",
    "probably",
    "yesterday",
    "tomorrow",
];

const GERMAN: &[&str] = &[
    "der",
    "die",
    "das",
    "ein",
    "eine",
    "unser",
    "Morgen",
    "Zug",
    "Fluss",
    "Garten",
    "Brot",
    "Fenster",
    "Straße",
    "Bücherei",
    "Nachbarin",
    "Wetter",
    "Spaziergang",
    "Küche",
    "Brücke",
    "Rechner",
    "ist",
    "war",
    "sieht",
    "findet",
    "öffnet",
    "schließt",
    "braucht",
    "still",
    "hell",
    "alt",
    "neu",
    "langsam",
    "warm",
    "kalt",
    "klein",
    "heute",
    "gestern",
    "wieder",
    "mit",
    "ohne",
    "unter",
    "über",
    "nach",
    "weil",
    "und",
    "aber",
    "nicht",
    "vielleicht",
];

const JAPANESE: &[&str] = &[
    "今日は",
    "朝の",
    "電車で",
    "東京の",
    "京都へ",
    "雨が",
    "桜が",
    "写真を",
    "撮りました",
    "本を読んで",
    "コーヒーを",
    "飲みながら",
    "猫が",
    "窓の外を",
    "見ている",
    "新しい",
    "カメラを",
    "買った",
    "暖簾を",
    "くぐると",
    "美味しい",
    "ラーメンの",
    "匂いがした",
    "散歩の途中で",
    "友達に",
    "会いました",
    "とても",
    "静かな",
    "夕方の",
    "川沿いを",
    "歩く",
    "明日も",
    "晴れると",
    "いいな",
    "サーバーを",
    "更新して",
    "音楽を",
    "聴いている",
    "図書館で",
    "勉強する",
];

const TAGS: &[&str] = &[
    "photography",
    "caturday",
    "rust",
    "fediverse",
    "books",
    "coffee",
    "trains",
    "gardening",
    "music",
    "art",
    "linux",
    "cycling",
    "hiking",
    "bread",
    "写真",
    "猫",
    "東京",
    "読書",
    "散歩",
    "日本語",
    "Fotografie",
    "Garten",
];

const HOSTS: &[&str] = &["example.com", "news.example.org", "blog.example.net", "写真.example.jp", "www.example.de"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_realistic_length_and_repeatable() {
        let people = ["mia".to_owned(), "ren".to_owned()];
        let (mut one, mut other) = (Random::new(7), Random::new(7));
        let mut kinds = (0, 0, 0, 0);
        for _ in 0..2000 {
            let made = text(&mut one, &people);
            assert_eq!(made, text(&mut other, &people));
            let length = made.text.chars().count();
            assert!((25..=480).contains(&length), "{length}: {}", made.text);
            kinds.0 += usize::from(made.language == "ja");
            kinds.1 += usize::from(made.text.contains('#'));
            kinds.2 += usize::from(made.text.starts_with('@'));
            kinds.3 += usize::from(made.text.contains("https://"));
        }
        assert!(kinds.0 > 500 && kinds.1 > 500 && kinds.2 > 150 && kinds.3 > 300, "{kinds:?}");
    }
}

//! The command line is known: read the difference before accepting it.

/// Every command's help, one after the other.
fn helps(command: &mut clap::Command, path: &str, out: &mut String) {
    let text = command.clone().term_width(100).render_long_help();
    out.push_str(&format!("$ {path} --help\n{text}\n"));
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        if let Some(sub) = command.find_subcommand_mut(&name) {
            helps(sub, &format!("{path} {name}"), out);
        }
    }
}

#[test]
fn the_command_line_is_known() {
    let mut command = super::command();
    command.build();
    let mut out = String::new();
    helps(&mut command, "noren", &mut out);
    insta::assert_snapshot!("help", out);
}

#[test]
fn every_command_takes_config_and_data_and_shows_examples() {
    let mut command = super::command();
    command.build();
    let mut out = String::new();
    helps(&mut command, "noren", &mut out);
    for help in out.split("\n$ ") {
        assert!(help.contains("--config") && help.contains("--data"), "{help}");
        assert!(help.contains("Examples:") || help.starts_with("noren version"), "{help}");
    }
}

/// The words of a line as a shell gives them, without comments and without what is for other programs.
fn words(line: &str) -> Vec<String> {
    let line =
        [" #", " > ", " | ", " &", "  "].iter().fold(line.trim(), |line, end| line.split(end).next().unwrap_or(line));
    let line = line.trim_end_matches('…').replace('\'', "\"");
    let mut words = Vec::new();
    for (place, part) in line.split('"').enumerate() {
        match place % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Examples as they are written, not as a terminal wraps them.
fn shown(command: &clap::Command, lines: &mut Vec<String>) {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    lines.extend(text.lines().filter(|line| line.starts_with("  noren ")).map(str::to_owned));
    command.get_subcommands().for_each(|sub| shown(sub, lines));
}

fn page(name: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)).unwrap()
}

/// The lines of the examples in this language in a page of the documentation.
fn examples(page: &str, language: &str) -> Vec<String> {
    let (mut lines, mut inside) = (Vec::new(), false);
    for line in page.lines().map(str::trim) {
        match line.strip_prefix("```") {
            Some(name) => inside = !inside && name == language,
            None if inside => lines.push(line.to_owned()),
            None => {}
        }
    }
    lines
}

#[test]
fn documented_commands_can_be_given() {
    let mut lines = Vec::new();
    shown(&super::command(), &mut lines);
    for name in
        ["README.md", "README.ja.md", "docs/edge.md", "docs/edge.ja.md", "docs/storage.md", "docs/storage.ja.md"]
    {
        lines.extend(examples(&page(name), "sh").into_iter().filter(|line| line.starts_with("noren ")));
    }
    assert!(lines.len() > 150, "{}", lines.len());
    for line in lines {
        if let Err(error) = super::command().try_get_matches_from(words(&line)) {
            panic!("{line}\n{error}");
        }
    }
}

#[test]
fn pages_about_storage_show_the_same_in_both_languages() {
    let bare = |name: &str, language: &str| -> Vec<String> {
        let lines = examples(&page(name), language).into_iter();
        lines.map(|line| line.split(" #").next().unwrap_or_default().trim_end().to_owned()).collect()
    };
    for language in ["sh", "toml"] {
        let english = bare("docs/storage.md", language);
        assert_eq!(english, bare("docs/storage.ja.md", language), "{language}");
        assert!(english.len() > 5, "{language}");
    }
}

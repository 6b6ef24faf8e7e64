//! Everything that pages say, in each language.

use crate::lang::Lang;

macro_rules! words {
    ($($name:ident = $en:literal, $ja:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Word { $($name),* }
        impl Word {
            pub(crate) fn text(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$name, Lang::En) => $en, (Self::$name, Lang::Ja) => $ja,)*
                }
            }
        }
    };
}
words! {
    // Around every page
    SkipToContent = "Skip to content", "本文へ移動";
    About = "About", "このサーバーについて";
    SignIn = "Sign in", "ログイン";
    SignOut = "Sign out", "ログアウト";
    Settings = "Settings", "設定";
    GoHome = "Go to the front page", "トップページへ";

    // Errors
    NotFoundTitle = "Nothing here", "ページが見つかりません";
    NotFoundText = "The page does not exist, or it is not for you to see.", "ページが存在しないか、閲覧する権限がありません。";
    GoneTitle = "No longer here", "もうありません";
    GoneText = "This account is suspended or has been deleted.", "このアカウントは停止中か、削除されました。";
    BadRequestTitle = "That does not work", "このリクエストは処理できません";
    RefusedTitle = "Not allowed", "許可されていません";
    BusyTitle = "Just a moment", "混み合っています";
    BusyText = "The server has too much to do right now. Please try again in a few seconds.", "サーバーが混み合っています。数秒後にもう一度お試しください。";
    BrokenTitle = "Something broke", "エラーが発生しました";
    BrokenText = "This is the server's fault, not yours. Whoever runs it finds the cause in the log.", "サーバー側の問題です。原因は管理者のログに記録されています。";
    TooManyTitle = "Too many requests", "リクエストが多すぎます";
    FormBroken = "The form could not be read.", "フォームを読み取れませんでした。";
    FormForeign = "The form was sent from a page of another site.", "別のサイトのページからフォームが送信されました。";
    FormStale = "The page was open for too long, or you signed in or out meanwhile. Go back, reload it and try again.", "ページを開いたまま時間が経ったか、その間にログイン状態が変わりました。前のページに戻り、再読み込みしてやり直してください。";
    FormAgain = "Please send the form once more: the page was open for too long, or the browser sends no cookies.", "もう一度送信してください。ページを開いたまま時間が経ったか、ブラウザがCookieを送信していません。";

    // Fields and what can be wrong with them
    UserName = "User name", "ユーザー名";
    EmailOrName = "E-mail address or user name", "メールアドレスまたはユーザー名";
    Email = "E-mail address", "メールアドレス";
    Optional = "optional", "任意";
    Password = "Password", "パスワード";
    SiteTitle = "Name of the site", "サイトの名前";
    Blank = "Please fill this in.", "入力してください。";
    NameInvalid = "Only letters a to z, digits and underscores.", "半角英数字とアンダースコア（_）だけが使えます。";
    EmailInvalid = "This is not an e-mail address.", "メールアドレスの形式が正しくありません。";
    Taken = "Somebody has this already.", "すでに使われています。";
    Reserved = "This name is reserved.", "この名前は使用できません。";

    // First start
    SetupTitle = "Welcome to Noren", "Norenへようこそ";
    SetupLead = "Your server is running. Choose who you are on it: this account owns the site.", "サーバーが起動しました。最初のアカウントを作成してください。このアカウントがサイトの所有者になります。";
    UserNameHint = "Letters, digits and underscores. It cannot be changed later.", "半角英数字とアンダースコア。あとから変更できません。";
    EmailHint = "To sign in and to reach you. Nobody else sees it.", "ログインと連絡に使います。ほかの人には表示されません。";
    PasswordHint = "At least 8 characters. A sentence is good.", "8文字以上。文章のように長いものが安全です。";
    SetupButton = "Create the owner's account", "所有者アカウントを作成";
    SetupClosed = "This link has been used, or is not complete. The server prints the right one when it starts and nobody is here yet.", "このリンクは使用済みか、不完全です。アカウントがまだない場合、正しいリンクはサーバーの起動時に表示されます。";
    NotSetUp = "This site is not set up yet. Whoever runs it: open the link that the server printed when it started.", "このサイトはまだ設定されていません。管理者の方は、サーバーの起動時に表示されたリンクを開いてください。";

    // Sign-in
    SignInWrong = "That name and password do not belong together.", "ユーザー名またはパスワードが正しくありません。";
    SignInTooMany = "Too many tries. Please wait before the next one.", "試行回数が多すぎます。しばらく待ってからやり直してください。";
    SignInDisabled = "This account is disabled.", "このアカウントは無効になっています。";
    SignInUnconfirmed = "The e-mail address of this account has to be confirmed first.", "先にメールアドレスの確認が必要です。";
    SignInPending = "A moderator has not approved this account yet.", "このアカウントはまだ承認されていません。";
    SignedInAlready = "You are signed in as", "ログイン中のアカウント:";

    // Consent
    ConsentTitle = "Authorize an app", "アプリの認証";
    ConsentMay = "It would be able to:", "許可する操作:";
    ConsentBack = "You then go back to", "許可すると次へ移動します:";
    ConsentOob = "You then get a code to copy into the app.", "許可すると、アプリに貼り付けるコードが表示されます。";
    ConsentEnd = "You can end this at any time in your settings.", "許可はいつでも設定から取り消せます。";
    Authorize = "Authorize", "許可する";
    Deny = "Deny", "拒否する";
    OtherAccount = "Use another account", "別のアカウントを使う";
    Everything = "everything", "すべて";
    ScopeRead = "Read", "読み取り";
    ScopeWrite = "Change", "書き込み";
    ScopeFollow = "Follow, block and mute people", "フォロー・ブロック・ミュートの管理";
    ScopePush = "Send you notifications", "通知の送信";
    ScopeProfile = "Know your name and picture", "名前とアイコンの確認";
    ScopeAdminRead = "Read as a moderator", "モデレーターとして読み取り";
    ScopeAdminWrite = "Act as a moderator", "モデレーターとして操作";
    UnknownClient = "The app that sent you here is not known on this server. Try to sign in from the app once more.", "このサーバーに登録されていないアプリです。アプリからもう一度ログインしてください。";
    UnknownRedirect = "The app asks to send you to an address that it has not registered. For your safety the sign-in ends here.", "アプリが登録していないアドレスへの移動を求めています。安全のため、ここで中止しました。";
    AppMistake = "The app asked for something that this server cannot give", "アプリのリクエストに問題があります";
    BackToApp = "Go back to the app", "アプリに戻る";
    CodeTitle = "Your code", "認証コード";
    CodeText = "Copy this code and paste it into the app. It is good for ten minutes and for one use.", "このコードをコピーしてアプリに貼り付けてください。有効期限は10分、1回だけ使えます。";
    DeniedTitle = "The app was not let in", "アプリを許可しませんでした";
    DeniedText = "You may close this page.", "このページを閉じてください。";

    // Front page
    FrontApps = "Read and post with any app for Mastodon, on the phone or in the browser. Where the app asks for your server, enter:", "Mastodon対応のアプリ（スマートフォン・ブラウザ）で利用できます。サーバー名には次を入力してください:";
    FrontRunBy = "Run by", "管理者";
    FrontEmpty = "A small part of the fediverse.", "フェディバースの小さな一角です。";
    MyProfile = "My profile", "プロフィール";

    // Settings
    SettingsAccount = "Account", "アカウント";
    SettingsHandle = "Handle", "ハンドル";
    SettingsRole = "Role", "役割";
    SettingsApps = "Apps", "アプリ";
    SettingsNoApps = "No app has access to your account.", "アクセスを許可したアプリはありません。";
    CommandLine = "Token made on the command line", "コマンドラインで作成したトークン";
    Since = "since", "許可日:";
    Revoke = "Revoke", "取り消す";
    SettingsBrowsers = "Browsers", "ブラウザ";
    ThisBrowser = "this one", "このブラウザ";
    SignedInOn = "signed in on", "ログイン日時:";
    EndSession = "Sign out there", "ログアウトさせる";
    ChangePassword = "Change password", "パスワードの変更";
    CurrentPassword = "Current password", "現在のパスワード";
    NewPassword = "New password", "新しいパスワード";
    ChangePasswordHint = "All other browsers are signed out. Apps stay.", "ほかのブラウザはログアウトします。アプリはそのままです。";
    WrongPassword = "This is not your password.", "パスワードが正しくありません。";
    DonePassword = "Your password has been changed.", "パスワードを変更しました。";
    DoneSession = "The browser has been signed out.", "ブラウザをログアウトさせました。";
    DoneApp = "The app has no access any more.", "アプリの許可を取り消しました。";
    RoleUser = "Member", "メンバー";
    RoleModerator = "Moderator", "モデレーター";
    RoleAdmin = "Administrator", "管理者";
    RoleOwner = "Owner", "所有者";

    // About, people, posts
    Rules = "Rules", "ルール";
    Contact = "Contact", "連絡先";
    Software = "Software", "ソフトウェア";
    Posts = "Posts", "投稿";
    Following = "following", "フォロー中";
    NoPosts = "No public posts yet.", "公開の投稿はまだありません。";
    Older = "Older posts", "過去の投稿";
    Newest = "Newest posts", "最新の投稿";
    Boosted = "boosted", "さんがブースト";
    Sensitive = "Sensitive content", "閲覧注意";
    Media = "Attachment", "添付ファイル";
    Conversation = "Conversation", "会話";
    Edited = "edited", "編集済み";
    Joined = "Joined", "登録日";
    LatestPosts = "Latest posts", "最近の投稿";
    FollowHint = "To follow or answer, search for this in your app:", "フォローや返信をするには、アプリで次を検索してください:";
}

/// Things that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Votes,
    Replies,
    Boosts,
    Favourites,
    Posts,
    Followers,
}

impl Counted {
    /// What stands behind the number `n`.
    pub(crate) fn text(self, lang: Lang, n: i64) -> &'static str {
        let (one, many, ja) = match self {
            Self::Votes => ("vote", "votes", "票"),
            Self::Replies => ("reply", "replies", "返信"),
            Self::Boosts => ("boost", "boosts", "ブースト"),
            Self::Favourites => ("favourite", "favourites", "お気に入り"),
            Self::Posts => ("post", "posts", "投稿"),
            Self::Followers => ("follower", "followers", "フォロワー"),
        };
        match lang {
            Lang::Ja => ja,
            Lang::En if n == 1 => one,
            Lang::En => many,
        }
    }
}

impl Word {
    pub(crate) fn too_short(lang: Lang, least: usize) -> String {
        match lang {
            Lang::En => format!("Too short: at least {least} characters."),
            Lang::Ja => format!("短すぎます。{least}文字以上にしてください。"),
        }
    }
    pub(crate) fn too_long(lang: Lang, most: usize) -> String {
        match lang {
            Lang::En => format!("Too long: at most {most} characters."),
            Lang::Ja => format!("長すぎます。{most}文字以内にしてください。"),
        }
    }
}

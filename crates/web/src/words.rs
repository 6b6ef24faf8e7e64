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
    GoneText = "What was here has been deleted.", "ここにあったものは削除されました。";
    SuspendedTitle = "Not to be seen", "表示できません";
    SuspendedText = "This account is suspended.", "このアカウントは停止されています。";
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
    SignInMoved = "This account has moved: follow from the new one.", "このアカウントは引っ越し済みです。引っ越し先のアカウントからフォローしてください。";
    SignInDisabled = "This account is disabled.", "このアカウントは無効になっています。";
    SignInUnconfirmed = "The e-mail address of this account has to be confirmed first.", "先にメールアドレスの確認が必要です。";
    SignInPending = "A moderator has not approved this account yet.", "このアカウントはまだ承認されていません。";
    SignedInAlready = "You are signed in as", "ログイン中のアカウント:";

    // Two-factor sign-in
    TwoFactor = "Two-factor sign-in", "二段階認証";
    TwoFactorWhat = "With a code from an app on your phone as well, a password that somebody guessed or stole is not enough to get in.", "パスワードに加えてスマートフォンのアプリが表示するコードを使うと、パスワードを知られただけではログインされません。";
    TwoFactorSetUp = "Set up", "設定する";
    TwoFactorScan = "1. Show this to your app", "1. アプリで読み取る";
    TwoFactorPicture = "QR code for an authenticator app", "認証アプリ用のQRコード";
    TwoFactorHere = "The app is on this device: open it", "この端末のアプリで開く";
    TwoFactorType = "Or type this into the app:", "またはアプリに次を入力:";
    TwoFactorConfirm = "2. Enter the code that it shows", "2. 表示されたコードを入力";
    TwoFactorTurnOn = "Turn on", "有効にする";
    TwoFactorTurnOff = "Turn off", "無効にする";
    TwoFactorOffHint = "From then on the password alone is enough.", "無効にすると、パスワードだけでログインできるようになります。";
    TwoFactorIsOn = "On since", "有効です。有効にした日:";
    TwoFactorIsOff = "Two-factor sign-in is off.", "二段階認証を無効にしました。";
    TwoFactorDone = "Two-factor sign-in is on.", "二段階認証は有効です。";
    RecoveryCodes = "Recovery codes", "リカバリーコード";
    RecoveryCodesKeep = "Keep these where you find them without your phone. Each opens the door once in place of a code. They are not shown again.", "スマートフォンがなくても見られる場所に保管してください。認証コードの代わりに、それぞれ1回だけ使えます。二度と表示されません。";
    RecoveryCodesKept = "I have kept them", "保管しました";
    RecoveryCodesNew = "Lost them, or used most? With new ones, all that you have now are void.", "なくした場合や残りが少ない場合は、新しく作成できます。今あるコードはすべて無効になります。";
    RecoveryCodesMake = "Make new codes", "新しく作成";
    Manage = "Manage", "管理";
    BackToSettings = "Back to the settings", "設定に戻る";
    CodeOfApp = "Code from your app", "アプリの認証コード";
    CodeOfAppHint = "Six digits. They change every half minute.", "6桁の数字です。30秒ごとに変わります。";
    CodeWrong = "This code is wrong, too old, or has been used.", "コードが間違っているか、期限切れか、使用済みです。";
    CodeOver = "That took too long. Please sign in again.", "時間が経ちすぎました。もう一度ログインしてください。";
    CodeLost = "The phone is not at hand? Use a recovery code", "スマートフォンが手元にない場合: リカバリーコードを使う";
    CodeFound = "Use a code from the app", "アプリの認証コードを使う";
    CodeLostAll = "If you have neither, only whoever runs this site can help.", "どちらもない場合は、サイトの管理者に連絡してください。";
    RecoveryCode = "Recovery code", "リカバリーコード";
    RecoveryCodeHint = "One of the ten that you kept. It is used up with this.", "保管した10個のうちの1つ。使うと無効になります。";

    // Sign-up
    SignUp = "Sign up", "新規登録";
    SignUpTitle = "New account", "アカウントの作成";
    SignUpAsk = "Ask for an account", "アカウントの申請";
    SignUpAskLead = "A moderator reads every request. You can sign in once yours is approved.", "申請はモデレーターが確認します。承認されるとログインできます。";
    SignUpButton = "Create account", "アカウントを作成";
    SignUpAskButton = "Send the request", "申請する";
    SignUpNone = "No account yet?", "アカウントをお持ちでない方:";
    SignUpHave = "Here already?", "アカウントをお持ちの方:";
    SignUpReason = "Why would you like to join?", "登録を希望する理由";
    SignUpReasonHint = "A sentence or two, for the moderators alone.", "一言で構いません。モデレーターだけが読みます。";
    SignUpAgree = "I have read the rules and will keep to them.", "ルールを読み、守ることに同意します。";
    SignUpDisagreed = "Without this there is no account here.", "同意いただけない場合は登録できません。";
    SignUpClosed = "This site takes no new people at the moment.", "現在、新規登録を受け付けていません。";
    SignUpThanks = "Thank you", "ありがとうございます";
    SignUpWait = "A moderator will read your request. Once it is approved you can sign in with your name and password.", "申請を受け付けました。承認されると、ユーザー名とパスワードでログインできます。";
    SignUpConfirm = "Your account is there. Before you can sign in, the e-mail address has to be confirmed.", "アカウントを作成しました。ログインするには、先にメールアドレスの確認が必要です。";
    InviteGood = "You were invited.", "招待リンクからの登録です。";
    InviteOver = "This invite has been used up, or is over. Ask for another one.", "この招待リンクは使用済みか、期限切れです。別のリンクをもらってください。";

    // Staff
    Staff = "For the people who run this site", "サイトの運営";
    Invites = "Invites", "招待リンク";
    InvitesWhat = "Whoever has such a link can open an account at once, also while sign-up is closed.", "招待リンクを持っている人は、新規登録の受付を停止していても、すぐにアカウントを作成できます。";
    InvitesMade = "Made so far", "作成済みのリンク";
    InvitesNone = "There are none.", "まだありません。";
    InviteUses = "Good for", "使える人数";
    InviteLife = "For the next", "有効期間";
    InviteNoLimit = "no limit", "無制限";
    InviteMake = "Make a link", "リンクを作成";
    InviteMade = "The link is ready: the first one below.", "リンクを作成しました。下の一番上にあります。";
    InviteRevoked = "The link is gone. Who came with it stays.", "リンクを削除しました。このリンクで登録した人はそのままです。";
    InviteTooMany = "There are too many links already. Remove some first.", "リンクが多すぎます。先に不要なものを削除してください。";
    InviteIsOver = "over", "終了";
    InviteUntil = "until", "期限:";
    Remove = "Remove", "削除";
    Waiting = "Sign-ups that wait", "承認待ちの申請";
    WaitingNone = "Nobody waits.", "承認待ちの人はいません。";
    WaitingMore = "More", "続き";
    RejectHint = "Who is rejected is deleted for good, and the name is free again.", "却下すると申請は完全に削除され、同じユーザー名を再び使えるようになります。";
    Approve = "Approve", "承認";
    Reject = "Reject", "却下";
    DoneApproved = "Approved: they can sign in now.", "承認しました。ログインできるようになります。";
    DoneRejected = "Rejected and deleted.", "却下し、削除しました。";
    DoneAlready = "Somebody else has decided this already.", "すでに処理されています。";

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

    // Somebody or something elsewhere
    InteractAs = "Signed in as", "ログイン中:";
    InteractOpen = "Open the original page", "元のページを開く";
    InteractPost = "A post elsewhere", "ほかのサーバーの投稿";
    InteractApp = "To answer, boost or favourite it, search for this in your app:", "返信・ブースト・お気に入りをするには、アプリで次を検索してください:";
    InteractNone = "Nothing was found", "見つかりませんでした";
    InteractNoneText = "There is no account and no post at this address, or its server does not answer right now.", "このアドレスにはアカウントも投稿もないか、相手のサーバーが応答していません。";
    Follow = "Follow", "フォローする";
    ElsewhereLead = "This account is on another server:", "このアカウントは別のサーバーにあります:";
    ElsewhereLeadPost = "This post is on another server:", "この投稿は別のサーバーにあります:";
    ElsewhereHint = "The link leads away from this site: open it if you trust the address.", "リンクを開くとこのサイトを離れます。信頼できるアドレスか確認してから開いてください。";
    FollowsAlready = "You follow this account.", "このアカウントをフォローしています。";
    FollowAsked = "You asked to follow. They see the request and can accept it.", "フォローリクエストを送りました。相手の承認をお待ちください。";

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
    DoneSessions = "All other browsers have been signed out.", "ほかのすべてのブラウザをログアウトさせました。";
    EndOthers = "Sign out everywhere else", "ほかのすべてをログアウト";
    DoneApp = "The app has no access any more.", "アプリの許可を取り消しました。";
    SettingsMoving = "Moving", "引っ越し";
    AliasText = "Other accounts of yours: only from these somebody can move here.", "あなたの別のアカウント。登録したアカウントからのみ、ここへ引っ越せます。";
    AliasField = "Another account, such as @name@example.com", "別のアカウント（例: @name@example.com）";
    AliasAdd = "Add", "追加";
    AliasRemove = "Remove", "削除";
    AliasUnknown = "There is no such account, or its server does not answer.", "アカウントが見つからないか、相手のサーバーが応答しません。";
    AliasRefused = "This account cannot be added.", "このアカウントは追加できません。";
    DoneAlias = "Your other accounts have been changed.", "別のアカウントの登録を変更しました。";
    MoveText = "To leave: followers are asked to follow the new account, posts stay here, and this account can do nothing any more. The new account has to name this one among its other accounts first.", "引っ越すと、フォロワーは新しいアカウントへ移り、投稿はここに残ります。このアカウントでは何もできなくなります。先に新しいアカウントの側で、このアカウントを登録してください。";
    MoveField = "The new account", "新しいアカウント";
    MoveThere = "Move there", "引っ越す";
    MoveRefused = "The new account does not name this one or has moved on itself, or your last move is not a week ago.", "新しいアカウントにこのアカウントが登録されていないか、そのアカウントも引っ越し済みか、前回の引っ越しから1週間たっていません。";
    MovedTo = "This account has moved to", "このアカウントの引っ越し先:";
    ComeBack = "Use this account again", "このアカウントを再び使う";
    DoneMoved = "You have moved. Followers come along in a while.", "引っ越しました。フォロワーは順次移動します。";
    DoneBack = "You can use this account again.", "このアカウントを再び使えるようになりました。";
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
            Self::Replies => ("reply", "replies", "件の返信"),
            Self::Boosts => ("boost", "boosts", "件のブースト"),
            Self::Favourites => ("favourite", "favourites", "件のお気に入り"),
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
    /// How many recovery codes are left.
    pub(crate) fn codes_left(lang: Lang, n: i64) -> String {
        match (lang, n) {
            (Lang::En, 1) => "One recovery code is left.".into(),
            (Lang::En, n) => format!("{n} recovery codes are left."),
            (Lang::Ja, n) => format!("リカバリーコードの残り: {n}個"),
        }
    }
    /// So many people.
    pub(crate) fn people(lang: Lang, n: i64) -> String {
        match (lang, n) {
            (Lang::En, 1) => "1 person".into(),
            (Lang::En, n) => format!("{n} people"),
            (Lang::Ja, n) => format!("{n}人"),
        }
    }
    pub(crate) fn days(lang: Lang, n: u64) -> String {
        match (lang, n) {
            (Lang::En, 1) => "1 day".into(),
            (Lang::En, n) => format!("{n} days"),
            (Lang::Ja, n) => format!("{n}日"),
        }
    }
    /// How often an invite was used, and how often it may be.
    pub(crate) fn used(lang: Lang, n: i64, most: Option<i64>) -> String {
        match (lang, most) {
            (Lang::En, None) => format!("used so far: {n}"),
            (Lang::En, Some(most)) => format!("used {n} of {most}"),
            (Lang::Ja, None) => format!("{n}人が使用"),
            (Lang::Ja, Some(most)) => format!("{most}人中{n}人が使用"),
        }
    }
}

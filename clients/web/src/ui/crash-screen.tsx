import { Component, type ReactNode } from 'react';

/** In every language there is: the choice may be what failed. */
const TEXTS = {
  en: [
    'Something went wrong on this page.',
    'Nothing you sent is lost. Load the page again; if that does not help, tell an administrator.',
    'Load again',
  ],
  'zh-TW': ['這個頁面發生問題。', '您送出的內容不會遺失。請重新載入頁面；若仍無法解決，請告知系統管理員。', '重新載入'],
} as const;

/** Shown where the page is not served over TLS, or the browser is too old to share one connection among its tabs. */
export function UnsupportedScreen() {
  return (
    <main role="alert" style={{ padding: '10vh 2rem', maxWidth: '40rem', margin: 'auto' }}>
      <p lang="en">
        Parley needs a secure connection (an address that begins with https) and a current Firefox, Chrome, Edge or
        Safari.
      </p>
      <p lang="zh-TW">Parley 需要安全連線（以 https 開頭的網址），以及最新版的 Firefox、Chrome、Edge 或 Safari。</p>
    </main>
  );
}

/** Shown instead of a page that failed; needs nothing that may have failed with it. */
export class CrashScreen extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <main role="alert" style={{ padding: '10vh 2rem', maxWidth: '40rem', margin: 'auto' }}>
        {Object.entries(TEXTS).map(([language, [title, help, reload]]) => (
          <section key={language} lang={language}>
            <h1>{title}</h1>
            <p>{help}</p>
            <button type="button" onClick={() => location.reload()}>
              {reload}
            </button>
          </section>
        ))}
      </main>
    );
  }
}

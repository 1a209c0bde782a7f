import { type BrandVariants, createDarkTheme, createLightTheme, type Theme } from '@fluentui/react-components';

const brand: BrandVariants = {
  10: '#02171c',
  20: '#062930',
  30: '#083b45',
  40: '#094b58',
  50: '#0a5562',
  60: '#0a5f70',
  70: '#0b6878',
  80: '#0b7285',
  90: '#2a8597',
  100: '#4a9aaa',
  110: '#66acba',
  120: '#83bfca',
  130: '#a1d1da',
  140: '#bfe2e8',
  150: '#dcf1f4',
  160: '#eef8fa',
};
const fontFamilyBase =
  '"Segoe UI", system-ui, -apple-system, "Noto Sans", "PingFang TC", "Microsoft JhengHei", "Noto Sans TC", "Noto Sans CJK TC", sans-serif';

/** By day. */
export const lightTheme: Theme = { ...createLightTheme(brand), fontFamilyBase };
/** By night. */
export const darkTheme: Theme = {
  ...createDarkTheme(brand),
  fontFamilyBase,
  colorBrandForeground1: brand[110],
  colorBrandForeground2: brand[120],
  colorBrandForegroundLink: brand[120],
  colorBrandForegroundLinkHover: brand[130],
  colorBrandBackground2: brand[30],
  // Fluent's own is 4.2:1 on the background of conversations
  colorStatusDangerForeground1: '#f1878f',
};

/** Strokes on a field of 16 by 16. */
const shapes = {
  check: 'M3.5 8.5l3 3 6-7',
  cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  half: 'M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11',
  slash: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M4.2 11.8l7.6-7.6',
  clock: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M8 5v3.2l2.2 1.6',
  hourglass: 'M4.5 2.5h7M4.5 13.5h7M5 2.5c0 3 3 3.5 3 5.500s-3 2.5-3 5.500M11 2.500c0 3-3 3.5-3 5.500s3 2.5 3 5.5',
  arrow: 'M2.5 8h10.500M9 4l4 4-4 4',
  dots: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  info: 'M8 2.500a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M8 7.500v3.500M8 5h.01',
  bug: 'M5.5 6.500a2.5 2.5 0 0 1 5 0v3.500a2.5 2.5 0 0 1-5 0zM2.5 8.500h3M10.5 8.500h3M3.5 4l2 1.500M12.5 4l-2 1.500M3.5 13l2-1.500M12.5 13l-2-1.5',
  warning: 'M8 2.500l6 11H2zM8 6.500v3.500M8 11.800h.01',
  flame: 'M5 1.800h6l3.2 3.200v6L11 14.200H5L1.8 11V5zM8 4.800v4M8 11h.01',
  pause: 'M5.5 3.500v9M10.5 3.500v9',
  stop: 'M4 4h8v8H4z',
  retry: 'M13 8a5 5 0 1 1-1.6-3.700M13 2.500v3h-3',
  archive: 'M2.5 3.500h11v3h-11zM3.5 6.500v6.500h9V6.500M6.5 9h3',
  mail: 'M2 3.500h12v9H2zM2 4.500l6 4.5 6-4.5',
  chat: 'M2.5 3h11v8h-6l-3 2.500V11h-2z',
  sun: 'M8 5.200a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.600M8 1.500v1.500M8 13v1.500M1.5 8H3M13 8h1.500M3.4 3.400l1 1M11.6 11.600l1 1M3.4 12.600l1-1M11.6 4.400l1-1',
  moon: 'M13 9.500A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.500z',
  screen: 'M2 3h12v8H2zM6 13.500h4',
} as const;

export type IconName = keyof typeof shapes;

/** An icon; what it means always stands beside it as a word. */
export function Icon({ name, size = 14 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={shapes[name]} />
    </svg>
  );
}

/** SpecificCharacterSet (PS3.3, C.12.1.1.2) as a name that TextDecoder knows; the last one where several are listed. */
export function textEncoding(charset = ''): string {
  const name = charset.split('\\').at(-1)?.trim().replace('ISO 2022 IR', 'ISO_IR') ?? ''
  const known: Readonly<Record<string, string>> = {
    'ISO_IR 192': 'utf-8',
    'ISO_IR 101': 'iso-8859-2',
    'ISO_IR 109': 'iso-8859-3',
    'ISO_IR 110': 'iso-8859-4',
    'ISO_IR 144': 'iso-8859-5',
    'ISO_IR 127': 'iso-8859-6',
    'ISO_IR 126': 'iso-8859-7',
    'ISO_IR 138': 'iso-8859-8',
    'ISO_IR 148': 'windows-1254',
    'ISO_IR 166': 'windows-874',
    'ISO_IR 203': 'iso-8859-15',
    'ISO_IR 13': 'shift_jis',
    'ISO_IR 87': 'iso-2022-jp',
    'ISO_IR 149': 'euc-kr',
    'ISO_IR 58': 'gb18030',
    GB18030: 'gb18030',
    GBK: 'gbk',
  }
  return known[name] ?? 'latin1'
}

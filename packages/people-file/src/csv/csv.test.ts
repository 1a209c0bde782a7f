import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'csv-parse/sync';
import { brief, itemsOf, random } from '../../test/support.ts';
import { PeopleFileError, type PersonItem } from '../index.ts';

const rowsOf = async (text: string) =>
  (await itemsOf(text)).filter((item): item is PersonItem => 'row' in item).map(item => item.row);
const fails = (text: string, code: string, line = 0) =>
  assert.rejects(itemsOf(text), (error: unknown) => {
    assert.ok(error instanceof PeopleFileError);
    assert.deepEqual([error.code, error.line], [`people_file.${code}`, line]);
    return true;
  });

describe('a table of people', () => {
  it('is read with our own names of columns', async () => {
    const [mei] = await rowsOf(
      [
        'address,display name,department,title,language,site,manager,groups,external id,other addresses,enabled',
        'mei.lin@clinic.example,林美玲,Surgery,Surgeon,zh_TW,taipei,tom@clinic.example,Surgeons; 外科部,1042,m.lin@clinic.example | mlin@clinic.example,yes',
      ].join('\r\n'),
    );
    assert.deepEqual(mei, {
      externalId: '1042',
      address: 'mei.lin@clinic.example',
      otherAddresses: ['m.lin@clinic.example', 'mlin@clinic.example'],
      displayName: '林美玲',
      department: 'Surgery',
      title: 'Surgeon',
      language: 'zh-TW',
      site: 'taipei',
      manager: 'tom@clinic.example',
      groups: ['Surgeons', '外科部'],
      enabled: true,
    });
  });

  it('is read as Active Directory exports it, with the #TYPE line of PowerShell and names of the directory', async () => {
    const items = await itemsOf(
      [
        '#TYPE Microsoft.ActiveDirectory.Management.ADUser',
        '"DistinguishedName","DisplayName","EmailAddress","Enabled","ObjectGUID","Manager","MemberOf","proxyAddresses","SamAccountName"',
        '"CN=Lin\\, Mei,OU=Staff,DC=clinic,DC=example","Lin, Mei","","True","6f9619ff-8b86-d011-b42d-00c04fc964ff","CN=Tom Okafor,OU=Staff,DC=clinic,DC=example","CN=Ward 3,OU=Groups,DC=clinic,DC=example;CN=Surgeons,OU=Groups,DC=clinic,DC=example","SMTP:mei@clinic.example;smtp:mlin@clinic.example;X500:/o=Org/ou=First Group/cn=x","mlin"',
      ].join('\n'),
    );
    const [item] = items as PersonItem[];
    assert.equal(item?.line, 3);
    assert.deepEqual(item?.row, {
      externalId: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
      address: 'mei@clinic.example',
      otherAddresses: ['mlin@clinic.example'],
      displayName: 'Lin, Mei',
      groups: ['Ward 3', 'Surgeons'],
      enabled: true,
    });
    assert.ok(item?.dn && item.managerDn);
  });

  it('is read as systems of human resources write it: names in parts, status in words, semicolons or tabs', async () => {
    const [mei, ann, bob] = await rowsOf(
      [
        'Employee ID;First Name;Last Name;Work Email;Job Title;Employment Status;Manager ID',
        '7;美玲;林;mei@clinic.example;Surgeon;Active;9',
        '8;Ann;Lee;ann@clinic.example;"Nurse; ward 3";Terminated;',
        '9;Bob;;bob@clinic.example;;;',
      ].join('\n'),
    );
    assert.deepEqual([mei?.displayName, mei?.externalId, mei?.enabled, mei?.manager], ['林美玲', '7', true, '9']);
    assert.deepEqual(
      [ann?.displayName, ann?.title, ann?.enabled, ann?.manager],
      ['Ann Lee', 'Nurse; ward 3', false, ''],
    );
    assert.deepEqual([bob?.displayName, bob?.title, 'enabled' in (bob ?? {})], ['Bob', '', false]);
    const [tabbed] = await rowsOf('name\tmail\tdept\nAnn\tann@clinic.example\tIT, first floor\n');
    assert.deepEqual([tabbed?.displayName, tabbed?.department], ['Ann', 'IT, first floor']);
    const [told] = await rowsOf('sep=;\nmail;name\na@x.example;A,B\n');
    assert.equal(told?.displayName, 'A,B');
  });

  it('says nothing of columns that are not there, and empties what is there and empty', async () => {
    const [row] = await rowsOf('mail,department\nann@clinic.example,\n');
    assert.deepEqual(row, { externalId: '', address: 'ann@clinic.example', otherAddresses: [], department: '' });
  });

  it('takes the next name of a column where the first is empty in a row', async () => {
    const rows = await rowsOf('mail,UserPrincipalName\na@x.example,a.upn@x.example\n,b.upn@x.example\n');
    assert.deepEqual(
      rows.map(row => row.address),
      ['a@x.example', 'b.upn@x.example'],
    );
  });

  it('keeps values of several lines, doubled quotation marks and delimiters in quotation marks', async () => {
    const [row, next] = await itemsOf(
      'mail,groups,title\r\na@x.example,"One\r\nTwo","the ""first"", of many"\r\nb@x.example,,\r\n',
    );
    assert.ok(row && 'row' in row);
    assert.deepEqual([row.row.groups, row.row.title], [['One', 'Two'], 'the "first", of many']);
    assert.equal(next?.line, 4);
  });

  it('says nothing of what is not to be looked at', async () => {
    const text = 'mail,name,disabled,photo,title\na@x.example,A,yes,a.png,T\n';
    const items = await itemsOf(text, { ignore: ['enabled', 'photo'] });
    assert.deepEqual(items, [
      { line: 2, row: { externalId: '', address: 'a@x.example', otherAddresses: [], displayName: 'A', title: 'T' } },
    ]);
    const ldif = 'dn: a\nmail: a@x.example\ncn: A\nuserAccountControl: 514\njpegPhoto:: !\n';
    assert.deepEqual(
      (await itemsOf(ldif, { ignore: ['enabled', 'photo', 'display_name'] })).map(i => 'row' in i && i.row),
      [{ externalId: '', address: 'a@x.example', otherAddresses: [] }],
    );
  });

  it('tells what it made of the header', async () => {
    let told: unknown;
    await itemsOf('mail;Departement;name\n', {
      onHeader: header => (told = [header.delimiter, header.ignored, [...header.places.keys()]]),
    });
    assert.deepEqual(told, [';', ['Departement'], ['address', 'display_name']]);
  });
});

describe('a row that is wrong', () => {
  it('is reported with line, field and code, and costs no other row', async () => {
    const items = await itemsOf(
      [
        'mail,name,enabled,groups', // 1
        'a@x.example,A,yes,', // 2
        ',Nobody,yes,', // 3
        'c@x.example,"C" c,yes,', // 4
        'd@x.example,D,perhaps,', // 5
        'e@x.example,E', // 6
        'f@x.example,F,,,,', // 7: empty cells beyond the header are nothing
        'g@x.example,G,,,more', // 8
        'h@x.example,H\u0007,,', // 9
        '', // 10
        ' , ,,', // 11
        'k@x.example,a"b,,', // 12
        'l@x.example,"L,,', // 13: never closed
        'm@x.example,M,,', // 14
        'n@x.example,"N,,"', // 15: closes 13 for a naive reader
        'o@x.example,O,,', // 16
      ].join('\n'),
    );
    assert.deepEqual(brief(items), [
      '2 ok',
      '3 address value_missing',
      '4 row quote_misplaced',
      '5 enabled value_invalid',
      '6 row cell_count',
      '7 ok',
      '8 row cell_count',
      '9 display_name control_character',
      '12 row quote_misplaced',
      '13 row quote_misplaced',
      '14 ok',
      '15 row cell_count',
      '16 ok',
    ]);
  });

  it('does not take the rest of the file along when a quotation mark is never closed', async () => {
    const good = Array.from({ length: 500 }, (_, i) => `p${i}@x.example,P${i}`);
    const items = await itemsOf(['mail,name', '"a@x.example,A', ...good].join('\n'));
    assert.deepEqual(brief(items.slice(0, 2)), ['2 row quote_unclosed', '3 ok']);
    assert.equal(items.filter(item => 'row' in item).length, 500);
  });

  it('is refused when it is longer than the limits allow', async () => {
    const limits = { rowCharacters: 100, values: 3, lineBytes: 300 };
    const items = await itemsOf(
      `mail,groups\na@x.example,${'x'.repeat(100)}\nb@x.example,a;b;c;d\nc@x.example,${'y'.repeat(300)}\nd@x.example,d\n`,
      { limits },
    );
    assert.deepEqual(brief(items), ['2 row row_too_long', '3 groups too_many_values', '4 row line_too_long', '5 ok']);
  });
});

describe('a table that is no table of people', () => {
  it('is refused as a whole, with the line', async () => {
    await fails('', 'empty');
    await fails('\n\n', 'empty');
    await fails('name,department\nA,B\n', 'column_missing', 1);
    await fails('\nmail,mail\n', 'column_twice', 2);
    await fails('"mail,name\n', 'header_invalid', 1);
    await fails(`mail${',x'.repeat(300)}\n`, 'too_many_columns', 1);
    await assert.rejects(itemsOf('mail\na\nb\nc\n', { limits: { rows: 2 } }), { code: 'people_file.too_many_rows' });
    await assert.rejects(itemsOf('mail\na\nb\nc\n', { limits: { fileBytes: 5 } }), {
      code: 'people_file.file_too_large',
    });
  });
});

describe('well-formed tables', () => {
  it('are read as csv-parse reads them, whatever is in them', async () => {
    const next = random(7);
    const pieces = ['"', ',', ';', '\t', '\n', 'a', ' ', '林', '👍🏽', 'b c', "'", '#', '=1+1', 'ﾊﾝｶｸ'];
    for (let round = 0; round < 200; round++) {
      const delimiter = [',', ';', '\t'][next(3)] as string;
      const cell = () => Array.from({ length: next(6) }, () => pieces[next(pieces.length)]).join('');
      const quoted = (text: string) =>
        /["\n\r,;\t]/.test(text) || next(4) === 0 ? `"${text.replaceAll('"', '""')}"` : text;
      const table = Array.from({ length: 1 + next(8) }, (_, i) => [`p${i}@x.example`, cell(), cell()]);
      const text = ['mail,title,department'.replaceAll(',', delimiter)]
        .concat(table.map(cells => cells.map(quoted).join(delimiter)))
        .join(next(2) === 0 ? '\n' : '\r\n');
      const theirs = parse(text, { delimiter, columns: true }) as Record<string, string>[];
      const ours = await itemsOf(text);
      const shown = (value: string | undefined) => value?.trim() ?? '';
      for (const [i, item] of ours.entries()) {
        const expected = theirs[i];
        if ('row' in item)
          assert.deepEqual(
            [item.row.address, item.row.title, item.row.department],
            [expected?.mail, shown(expected?.title), shown(expected?.department)],
            text,
          );
        else assert.match(`${shown(expected?.title)}${shown(expected?.department)}`, /[\n\t]/, text);
      }
      assert.equal(ours.length, theirs.length, text);
    }
  });
});

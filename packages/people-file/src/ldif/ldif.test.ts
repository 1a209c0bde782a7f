import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { brief, itemsOf, PIXEL } from '../../test/support.ts';
import { filesBelow, type PersonItem } from '../index.ts';
import { commonNameOf, dnKey } from './dn.ts';

const base64 = (text: string | Uint8Array) => Buffer.from(text as string).toString('base64');
const people = async (text: string) => (await itemsOf(text)).filter((item): item is PersonItem => 'row' in item);
const entry = (...lines: string[]) =>
  ['dn: uid=a,dc=x', 'objectClass: inetOrgPerson', 'mail: a@x.example', ...lines, ''].join('\n');
const folded = (line: string) => line.replace(/(.{76})(?=.)/g, '$1\n ');

describe('an LDIF file', () => {
  it('is read with folding, comments, base64 and managers by name', async () => {
    const [mei, tom] = await people(
      [
        'version: 1',
        '# exported by a directory,',
        ' folded like everything else',
        '',
        'dn:: ' + base64('uid=mei,ou=醫師,dc=clinic,dc=example'),
        'changetype: add',
        'objectClass: top',
        'objectClass: inetOrgPerson',
        `displayName:: ${base64('林美玲')}`,
        'cn: Mei Lin',
        'mail: mei@clinic.example',
        'mail: mei.lin@clinic.example',
        'mailAlternateAddress: mlin@clinic.example',
        'department: Sur',
        ' gery',
        'title;lang-zh-tw:: ' + base64('主治醫師'),
        'employeeNumber: 1042',
        'preferredLanguage: zh-TW, en;q=0.8',
        'manager: UID=tom, OU=Staff,dc=clinic,dc=example',
        'memberOf: cn=Ward 3,ou=groups,dc=clinic,dc=example',
        'memberOf: cn=Surgeons\\, all,ou=groups,dc=clinic,dc=example',
        folded(`jpegPhoto:: ${base64(PIXEL)}`),
        'userCertificate;binary:: not read at all!',
        '',
        '',
        'dn: uid=tom,ou=staff,dc=clinic,dc=example',
        'objectClass: person',
        'cn: Tom Okafor',
        'mail: tom@clinic.example',
        'ou: Surgery',
        `objectGUID:: ${base64(Uint8Array.from([0xff, 0x19, 0x96, 0x6f, 0x86, 0x8b, 0x11, 0xd0, 0xb4, 0x2d, 0, 0xc0, 0x4f, 0xc9, 0x64, 0xff]))}`,
        'userAccountControl: 514',
      ].join('\n'),
    );
    assert.deepEqual(mei?.row, {
      externalId: '1042',
      address: 'mei@clinic.example',
      otherAddresses: ['mei.lin@clinic.example', 'mlin@clinic.example'],
      displayName: '林美玲',
      department: 'Surgery',
      title: '主治醫師',
      language: 'zh-TW',
      groups: ['Ward 3', 'Surgeons, all'],
      photo: new Uint8Array(PIXEL),
    });
    assert.equal(mei?.line, 5);
    assert.equal(mei?.managerDn, tom?.dn);
    assert.deepEqual(
      [tom?.row.externalId, tom?.row.enabled, tom?.row.department, tom?.row.groups],
      ['6f9619ff-8b86-d011-b42d-00c04fc964ff', false, 'Surgery', undefined],
    );
  });

  it('takes the primary address from proxyAddresses where there is no mail', async () => {
    const [item] = await people(
      'dn: CN=A\nobjectClass: user\nproxyAddresses: smtp:b@x.example\nproxyAddresses: SMTP:a@x.example\nproxyAddresses: sip:a@x.example\nproxyAddresses: X500:/o=x\n',
    );
    assert.deepEqual([item?.row.address, item?.row.otherAddresses], ['a@x.example', ['b@x.example']]);
  });

  it('leaves entries out that are about no person', async () => {
    const items = await itemsOf(
      [
        'dn: dc=x\nobjectClass: domain\n',
        'dn: ou=a,dc=x\nobjectClass: organizationalUnit\n',
        'dn: cn=g,dc=x\nobjectClass: groupOfNames\nmember: uid=a\n',
        'dn: cn=pc,dc=x\nobjectClass: user\nobjectClass: computer\n',
        'dn: cn=bare,dc=x\n',
        entry(),
      ].join('\n'),
    );
    assert.deepEqual(
      brief(items).map(line => line.split(' ')[1]),
      ['skipped', 'skipped', 'skipped', 'skipped', 'skipped', 'ok'],
    );
  });

  it('refuses an entry that cannot be imported, with line, field and reason, and goes on', async () => {
    const items = await itemsOf(
      [
        'dn: uid=1\nchangetype: modify\nreplace: mail\nmail: b@x.example\n-\n',
        'dn: uid=2\nchangetype: delete\n',
        'dn: uid=3\nobjectClass: person\nmail:: !!!\n',
        'dn: uid=4\nobjectClass: person\nmail:: /////w==\n',
        'dn: uid=5\nobjectClass: person\nmail:< file:///etc/passwd\n',
        'mail: no.dn@x.example\n',
        'dn: uid=7\nobjectClass: person\nthis is no attribute\n',
        'dn: uid=8\ncontrol: 1.2.840.113556.1.4.805 true\nobjectClass: person\nmail: h@x.example\n',
        'dn: uid=9\nobjectClass: person\ncn: no address\n',
        'dn: uid=10\nobjectClass: person\nmail: j@x.example\ncn:: ' + base64('a\u0000b') + '\n',
        entry('jpegPhoto:: ' + base64('GIF89a')),
        entry('jpegPhoto:: ' + base64(new Uint8Array(65_537))),
        entry(),
      ].join('\n'),
    );
    assert.deepEqual(brief(items), [
      '2 changetype ldif_change',
      '8 changetype ldif_change',
      '12 address ldif_base64',
      '16 address encoding_invalid',
      '20 address ldif_url',
      '22 row ldif_syntax',
      '26 row ldif_syntax',
      '29 control ldif_control',
      '33 address value_missing',
      '40 display_name control_character',
      '42 photo photo_type',
      '50 photo photo_too_large',
      '52 ok',
    ]);
  });

  it('keeps nothing of attributes that nobody wants, however long they are', async () => {
    const members = Array.from({ length: 50_000 }, (_, i) => `member: uid=p${i},dc=x`).join('\n');
    const long = `userCertificate:: ${'A'.repeat(76)}\n${` ${'A'.repeat(76)}\n`.repeat(20_000)}`;
    assert.deepEqual(brief(await itemsOf(`${entry(members)}\n${entry(long)}`)), ['1 ok', '50005 ok']);
    const photo = `jpegPhoto:: ${'A'.repeat(76)}\n${` ${'A'.repeat(76)}\n`.repeat(20_000)}`;
    assert.deepEqual(brief(await itemsOf(`${entry(photo)}\n${entry()}`)), ['4 jpegPhoto row_too_long', '20007 ok']);
  });
});

describe('names of a directory', () => {
  it('are the same in every spelling', () => {
    const same = ['CN=Lin\\, Mei,OU=Staff,DC=x', 'cn=lin\\2C mei, ou=staff , dc=X', 'cn="Lin, Mei",ou=Staff,dc=x'];
    assert.equal(new Set(same.map(dnKey)).size, 1);
    assert.notEqual(dnKey('cn=a,cn=b'), dnKey('cn=a\\,cn\\=b'));
    assert.equal(dnKey('cn=\\E6\\9E\\97'), dnKey('cn=林'));
    assert.equal(dnKey('a=1+b=2,c=3'), dnKey('B=2+A=1,C=3'));
    assert.deepEqual(['cn=a\\, b,ou=x', 'plain', 'cn='].map(commonNameOf), ['a, b', undefined, undefined]);
  });
});

describe('a picture named by its path', () => {
  it('is read beside or below the file and nowhere else', async t => {
    const dir = mkdtempSync(join(tmpdir(), 'people-file-'));
    t.after(() => rmSync(dir, { recursive: true }));
    mkdirSync(join(dir, 'in/photos'), { recursive: true });
    writeFileSync(join(dir, 'secret.png'), PIXEL);
    writeFileSync(join(dir, 'in/photos/a b.png'), PIXEL);
    writeFileSync(join(dir, 'in/text.png'), 'text');
    writeFileSync(join(dir, 'in/empty.png'), '');
    writeFileSync(join(dir, 'in/large.png'), Buffer.concat([PIXEL, Buffer.alloc(65_536)]));
    symlinkSync(join(dir, 'secret.png'), join(dir, 'in/link.png'));
    const photos = filesBelow(join(dir, 'in'));
    const csv = async (path: string) => brief(await itemsOf(`mail,photo\na@x.example,${path}\n`, { photos }))[0];
    assert.equal(await csv('photos/a b.png'), '2 ok');
    assert.equal(await csv('./photos/a b.png'), '2 ok');
    for (const path of [
      '../secret.png',
      '/etc/passwd',
      'photos/../../secret.png',
      'C:\\a.png',
      '~/a.png',
      'link.png',
      'a\\b',
    ])
      assert.equal(await csv(path), '2 photo photo_path', path);
    assert.equal(await csv('photos'), '2 photo photo_missing');
    assert.equal(await csv('none.png'), '2 photo photo_missing');
    assert.equal(await csv('text.png'), '2 photo photo_type');
    assert.equal(await csv('empty.png'), '2 photo photo_type');
    assert.equal(await csv('large.png'), '2 photo photo_too_large');
    const ldif = async (url: string) => brief(await itemsOf(entry(`jpegPhoto:< ${url}`), { photos }))[0];
    assert.equal(await ldif('file:photos/a%20b.png'), '1 ok');
    for (const url of [
      'file:///etc/passwd',
      'file:../secret.png',
      'file:%2e%2e/secret.png',
      'http://x.example/a.png',
      'file:%zz',
    ])
      assert.equal(await ldif(url), '4 photo ldif_url', url);
    assert.deepEqual(brief(await itemsOf('mail,photo\na@x.example,a.png\n')), ['2 photo photo_path']);
  });
});
